package io.grantwire.tools.host;

import java.time.Duration;
import java.util.Optional;

/**
 * What a person may type to a host.
 *
 * @param away how long the store is to be away
 */
record HostOrder(Duration away) {
    /** For the help page and for whoever types something else. */
    static final String HELP = "restart-store [SECONDS]";

    private static final String RESTART = "restart-store";
    private static final int MOST_SECONDS = 3600;

    /**
     * Understands a line.
     *
     * @return empty for an empty one
     * @throws IllegalArgumentException when it is no order; the message says what is
     */
    static Optional<HostOrder> parse(String line) {
        String[] words = line.strip().split("\\s+");
        if (words[0].isEmpty()) {
            return Optional.empty();
        }
        if (!words[0].equals(RESTART) || words.length > 2) {
            throw new IllegalArgumentException("not understood; type: " + HELP);
        }
        return Optional.of(new HostOrder(words.length == 1 ? Duration.ZERO : seconds(words[1])));
    }

    private static Duration seconds(String word) {
        try {
            double seconds = Double.parseDouble(word);
            if (seconds >= 0 && seconds <= MOST_SECONDS) {
                return Duration.ofMillis(Math.round(seconds * 1000));
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException(
                "seconds from 0 to " + MOST_SECONDS + " are wanted; type: " + HELP);
    }
}
