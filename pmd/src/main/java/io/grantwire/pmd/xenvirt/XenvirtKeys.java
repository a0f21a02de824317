package io.grantwire.pmd.xenvirt;

import java.util.Arrays;
import java.util.Optional;

/**
 * Xenstore keys of a xenvirt front end: their names, how values are written, and bounded parsers
 * for what a guest wrote. Pure; both ends use it.
 *
 * <p>Source: xenvirt protocol (docs/protocol.md). {@code pool} and {@code device} are decimal
 * numbers counted per guest from 0. Values are ASCII without a terminating NUL.
 */
public final class XenvirtKeys {
    /** Devices of one guest. */
    public static final int MAX_DEVICES = 32;

    /** Mempools of one guest. */
    public static final int MAX_POOLS = 16;

    /** Index pages that one key can name. */
    public static final int MAX_INDEX_PAGES = 64;

    /** Pages of one region. */
    public static final int MAX_REGION_PAGES = MAX_INDEX_PAGES * IndexPage.RECORDS;

    /** Longest value looked at, xenstore's own default limit on a node. */
    public static final int MAX_VALUE = 2048;

    /** Directory of the keys below a domain's own path, as the original has it. */
    public static final String DIRECTORY = "control/dpdk";

    /**
     * Alternative for hosts that keep {@code control} read-only; the original does not look here.
     */
    public static final String ALTERNATIVE_DIRECTORY = "data/dpdk";

    /** What the name of a start key begins with. */
    public static final String START_PREFIX = "event_type_start_";

    /** The value of a start key. */
    public static final String START = "1";

    private static final String DOMAINS = "/local/domain/";

    private XenvirtKeys() {}

    /** The absolute path of a guest's keys, {@code /local/domain/<domid>/control/dpdk}. */
    public static String base(int domid) {
        return DOMAINS + domid + "/" + DIRECTORY;
    }

    /** The absolute path of the alternative place, {@code /local/domain/<domid>/data/dpdk}. */
    public static String alternativeBase(int domid) {
        return DOMAINS + domid + "/" + ALTERNATIVE_DIRECTORY;
    }

    /** Name of the key that lists a mempool's index pages. */
    public static String mempoolGref(int pool) {
        return pool + "_mempool_gref";
    }

    /** Name of the key that holds a mempool's address in the guest. */
    public static String mempoolVa(int pool) {
        return pool + "_mempool_va";
    }

    /** Name of the key that lists the index pages of a device's receive ring. */
    public static String rxVringGref(int device) {
        return device + "_rx_vring_gref";
    }

    /** Name of the key that lists the index pages of a device's transmit ring. */
    public static String txVringGref(int device) {
        return device + "_tx_vring_gref";
    }

    /** Name of the key that holds a device's MAC address. */
    public static String etherAddr(int device) {
        return device + "_ether_addr";
    }

    /** Name of the key that names a device's flag page. */
    public static String vringFlag(int device) {
        return device + "_vring_flag";
    }

    /** Name of the key that says that a device is ready; always written last. */
    public static String start(int device) {
        return START_PREFIX + device;
    }

    /**
     * Where a start key is.
     *
     * @param base path of the guest's keys, without a trailing slash
     * @param domid the guest
     * @param device its device number, below {@link #MAX_DEVICES}
     */
    public record StartKey(String base, int domid, int device) {}

    /**
     * Recognises the path of a start key, as a watch reports it.
     *
     * @return nothing when it is another key, in another place, or out of range
     */
    public static Optional<StartKey> startKey(String path) {
        if (!path.startsWith(DOMAINS) || path.length() > MAX_VALUE) {
            return Optional.empty();
        }
        int slash = path.indexOf('/', DOMAINS.length());
        int last = path.lastIndexOf('/');
        if (slash < 0 || last <= slash) {
            return Optional.empty();
        }
        int domid = decimal(path, DOMAINS.length(), slash, 0x7fef);
        String directory = path.substring(slash + 1, last);
        int from = last + 1 + START_PREFIX.length();
        if (domid < 0
                || !(directory.equals(DIRECTORY) || directory.equals(ALTERNATIVE_DIRECTORY))
                || !path.startsWith(START_PREFIX, last + 1)) {
            return Optional.empty();
        }
        int device = decimal(path, from, path.length(), MAX_DEVICES - 1);
        return device < 0
                ? Optional.empty()
                : Optional.of(new StartKey(path.substring(0, last), domid, device));
    }

    /** A number of plain decimal digits without leading zeros, or -1. */
    private static int decimal(String s, int from, int to, int max) {
        if (from >= to || to - from > 5 || (s.charAt(from) == '0' && to - from > 1)) {
            return -1;
        }
        int n = 0;
        for (int i = from; i < to; i++) {
            char c = s.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            n = n * 10 + (c - '0');
        }
        return n <= max ? n : -1;
    }

    /** Writes grant references as decimals, comma separated without blanks: {@code 8,9,10}. */
    public static String formatGrefs(int[] grefs) {
        StringBuilder s = new StringBuilder(grefs.length * 6);
        for (int i = 0; i < grefs.length; i++) {
            if (i > 0) {
                s.append(',');
            }
            s.append(grefs[i]);
        }
        return s.toString();
    }

    /**
     * Reads a list of 1 to {@link #MAX_INDEX_PAGES} grant references, each 1 to 2^31 - 1. Numbers
     * may be decimal, octal with a leading 0 or hexadecimal with 0x, since the original back end
     * detects the base.
     */
    public static Parsed<int[]> parseGrefs(String value) {
        if (value.isEmpty() || value.length() > MAX_VALUE) {
            return Parsed.bad("grant list of " + value.length() + " characters");
        }
        int[] grefs = new int[MAX_INDEX_PAGES];
        int count = 0;
        int at = 0;
        while (true) {
            int comma = value.indexOf(',', at);
            int end = comma < 0 ? value.length() : comma;
            if (count == MAX_INDEX_PAGES) {
                return Parsed.bad("grant list of more than " + MAX_INDEX_PAGES + " entries");
            }
            int gref = number(value, at, end);
            if (gref <= 0) {
                return Parsed.bad(
                        "entry "
                                + count
                                + " of the grant list is no grant reference: "
                                + quote(value.substring(at, end)));
            }
            grefs[count++] = gref;
            if (comma < 0) {
                return Parsed.ok(Arrays.copyOf(grefs, count));
            }
            at = comma + 1;
        }
    }

    /** Reads a single grant reference, as the flag page's key holds it. */
    public static Parsed<Integer> parseGref(String value) {
        int gref = value.length() > 16 ? -1 : number(value, 0, value.length());
        return gref > 0 ? Parsed.ok(gref) : Parsed.bad("not a grant reference: " + quote(value));
    }

    /** A number in any base C's strtol detects, 0 to 2^31 - 1, or -1. */
    private static int number(String s, int from, int to) {
        int radix = 10;
        if (to - from > 1 && s.charAt(from) == '0') {
            radix = 8;
            from++;
            if (s.charAt(from) == 'x' || s.charAt(from) == 'X') {
                radix = 16;
                from++;
            }
        }
        if (from >= to) {
            return -1;
        }
        long n = 0;
        for (int i = from; i < to; i++) {
            int digit = digit(s.charAt(i));
            if (digit < 0 || digit >= radix) {
                return -1;
            }
            n = n * radix + digit;
            if (n > Integer.MAX_VALUE) {
                return -1;
            }
        }
        return (int) n;
    }

    /** The value of an ASCII hexadecimal digit, or -1; other alphabets' digits are none. */
    private static int digit(char c) {
        if (c >= '0' && c <= '9') {
            return c - '0';
        }
        if (c >= 'a' && c <= 'f') {
            return c - 'a' + 10;
        }
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    }

    /** Writes an address as bare lower-case hexadecimal. */
    public static String formatVa(long va) {
        return Long.toHexString(va);
    }

    /** Reads a guest address: 1 to 16 hexadecimal digits, with or without 0x, not zero. */
    public static Parsed<Long> parseVa(String value) {
        int from = value.startsWith("0x") || value.startsWith("0X") ? 2 : 0;
        int digits = value.length() - from;
        if (digits < 1 || digits > 16) {
            return Parsed.bad("not a hexadecimal address: " + quote(value));
        }
        long va = 0;
        for (int i = from; i < value.length(); i++) {
            int digit = digit(value.charAt(i));
            if (digit < 0) {
                return Parsed.bad("not a hexadecimal address: " + quote(value));
            }
            va = va << 4 | digit;
        }
        return va == 0 ? Parsed.bad("address is zero") : Parsed.ok(va);
    }

    /** Writes a MAC address, its first octet in bits 47 to 40: {@code 00:0c:29:01:02:03}. */
    public static String formatMac(long mac) {
        StringBuilder s = new StringBuilder(17);
        for (int shift = 40; shift >= 0; shift -= 8) {
            int octet = (int) (mac >>> shift) & 0xff;
            s.append(Character.forDigit(octet >> 4, 16)).append(Character.forDigit(octet & 15, 16));
            if (shift > 0) {
                s.append(':');
            }
        }
        return s.toString();
    }

    /**
     * Reads a MAC address of six groups of two digits or three groups of four, colon separated.
     *
     * @return the address with its first octet in bits 47 to 40
     */
    public static Parsed<Long> parseMac(String value) {
        int group = value.length() == 17 ? 2 : 4;
        if (value.length() != 17 && value.length() != 14) {
            return Parsed.bad("not a MAC address: " + quote(value));
        }
        long mac = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (i % (group + 1) == group) {
                if (c != ':') {
                    return Parsed.bad("not a MAC address: " + quote(value));
                }
                continue;
            }
            int digit = digit(c);
            if (digit < 0) {
                return Parsed.bad("not a MAC address: " + quote(value));
            }
            mac = mac << 4 | digit;
        }
        return Parsed.ok(mac);
    }

    /** What a peer wrote, shortened and with anything unprintable replaced, fit for a log line. */
    public static String quote(String untrusted) {
        StringBuilder s = new StringBuilder(34).append('"');
        int n = Math.min(untrusted.length(), 32);
        for (int i = 0; i < n; i++) {
            char c = untrusted.charAt(i);
            s.append(c >= ' ' && c < 0x7f && c != '"' ? c : '?');
        }
        return s.append(untrusted.length() > n ? "…\"" : "\"").toString();
    }
}
