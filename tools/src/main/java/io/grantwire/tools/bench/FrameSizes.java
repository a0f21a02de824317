package io.grantwire.tools.bench;

import io.grantwire.tools.cli.UsageException;
import java.util.ArrayList;
import java.util.List;

/**
 * Frame sizes as they are asked for: bytes without CRC, or {@code imix}.
 *
 * @param name as written
 * @param cycle the lengths of successive frames, over and over
 */
public record FrameSizes(String name, List<Integer> cycle) {
    /** Smallest frame that holds the generator's headers. */
    public static final int MIN = 64;

    /** Largest frame that fits one buffer. */
    public static final int MAX = 1518;

    /** The sizes of RFC 2544 that fit, and the mix. */
    public static final String ALL = "64,128,256,512,1024,1280,1518,imix";

    /** The simple Internet mix: seven small frames, four of middle size, one large; spread out. */
    private static final FrameSizes IMIX =
            new FrameSizes("imix", List.of(64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 64, 594));

    /** Copies the list. */
    public FrameSizes {
        cycle = List.copyOf(cycle);
    }

    /**
     * Reads one: {@code 64} or {@code imix}.
     *
     * @throws UsageException when it is neither
     */
    public static FrameSizes parse(String text) {
        if (text.equals("imix")) {
            return IMIX;
        }
        if (!text.matches("[0-9]{1,5}")
                || Integer.parseInt(text) < MIN
                || Integer.parseInt(text) > MAX) {
            throw new UsageException(
                    "Frame size '" + text + "': " + MIN + " to " + MAX + " bytes, or imix");
        }
        return new FrameSizes(text, List.of(Integer.parseInt(text)));
    }

    /** Reads several, with commas between. */
    public static List<FrameSizes> parseList(String text) {
        List<FrameSizes> sizes = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            sizes.add(parse(part));
        }
        return sizes;
    }

    /** Bytes of a frame on average. */
    public double mean() {
        return cycle.stream().mapToInt(Integer::intValue).average().orElseThrow();
    }

    /** The size for reports: a number where it is one. */
    public Object json() {
        return cycle.size() == 1 ? cycle.get(0) : name;
    }
}
