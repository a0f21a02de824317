package io.grantwire.tools.fuzz;

import java.nio.charset.StandardCharsets;

/** What fuzz tests of command lines have in common. */
public final class Lines {
    private Lines() {}

    /** Bytes as text. */
    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Bytes as the words of a command line. */
    public static String[] words(byte[] bytes) {
        String text = text(bytes);
        return text.isEmpty() ? new String[0] : text.split("\n", -1);
    }

    /** A refusal says something, in one line. */
    public static void checkMessage(RuntimeException e) {
        String message = e.getMessage();
        check(message != null && !message.isBlank(), "no message: " + e);
    }

    /** Throws when something is not as it should be. */
    public static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
