package io.grantwire.tools.vswitch;

/** One line to a running switch, see {@link CtlServer}. */
sealed interface CtlRequest {
    /** Longest line, in bytes. */
    int MAX_LINE = 64;

    /**
     * What the switch serves.
     *
     * @param json whether as JSON, otherwise as the statistics screen
     */
    record Status(boolean json) implements CtlRequest {}

    /**
     * Serve a quarantined device again.
     *
     * @param device its number
     */
    record Release(int device) implements CtlRequest {}

    /**
     * Reads a line.
     *
     * @throws IllegalArgumentException when it makes no sense; the message is one line for people
     */
    static CtlRequest parse(String line) {
        String[] words = line.strip().split(" +");
        switch (words[0]) {
            case "status" -> {
                if (words.length == 1) {
                    return new Status(false);
                }
                if (words.length == 2 && words[1].equals("json")) {
                    return new Status(true);
                }
            }
            case "release" -> {
                if (words.length == 2) {
                    return new Release(device(words[1]));
                }
                throw new IllegalArgumentException("release which device? Say its number");
            }
            default -> {}
        }
        throw new IllegalArgumentException("not a request: say status, or release and a number");
    }

    private static int device(String word) {
        if (!word.matches("[0-9]{1,4}")) {
            throw new IllegalArgumentException("not a device's number, as the statistics show it");
        }
        return Integer.parseInt(word);
    }

    /** The request as a line, without its end. */
    default String line() {
        return switch (this) {
            case Status(boolean json) -> json ? "status json" : "status";
            case Release(int device) -> "release " + device;
        };
    }
}
