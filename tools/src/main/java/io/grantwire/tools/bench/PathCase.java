package io.grantwire.tools.bench;

import io.grantwire.tools.cli.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Which way the frames go. */
public enum PathCase {
    /** The back end makes frames, the guest takes them. */
    TO_GUEST("switch → guest"),
    /** The guest makes frames, the back end takes them. */
    FROM_GUEST("guest → switch"),
    /** The back end makes frames, the guest sends them back with other addresses. */
    ROUND_TRIP("switch → guest → switch"),
    /** One guest makes frames, the whole switch forwards them, another guest takes them. */
    GUEST_TO_GUEST("guest → switch → guest");

    private final String title;

    PathCase(String title) {
        this.title = title;
    }

    /** As it is typed: {@code to-guest}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** For people. */
    public String title() {
        return title;
    }

    /** Whether the back end counts what has gone all the way; otherwise the guest does. */
    public boolean countedByHost() {
        return this == FROM_GUEST || this == ROUND_TRIP;
    }

    /** The keys, joined. */
    public static String keys() {
        List<String> keys = new ArrayList<>();
        for (PathCase one : values()) {
            keys.add(one.key());
        }
        return String.join(",", keys);
    }

    /**
     * Reads one.
     *
     * @throws UsageException when there is none of that name
     */
    public static PathCase parse(String text) {
        for (PathCase one : values()) {
            if (one.key().equals(text)) {
                return one;
            }
        }
        throw new UsageException("No such case '" + text + "': " + keys().replace(",", ", "));
    }

    /** Reads several, with commas between. */
    public static List<PathCase> parseList(String text) {
        List<PathCase> cases = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            cases.add(parse(part));
        }
        return cases;
    }
}
