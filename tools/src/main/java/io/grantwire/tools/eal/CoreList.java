package io.grantwire.tools.eal;

import io.grantwire.tools.cli.UsageException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Reads the ways DPDK's EAL has of saying which lcores to use: a hexadecimal mask ({@code -c f}), a
 * list ({@code -l 0-3,6}) and a map of lcores to CPUs ({@code --lcores '0@1,(2-3)@(4-5)'}).
 */
public final class CoreList {
    /** Lcore ids are below this. */
    public static final int MAX_LCORE = 128;

    /** Any CPU will do. */
    public static final int ANY_CPU = -1;

    /**
     * A polling thread to be.
     *
     * @param lcore its id
     * @param cpu the CPU to pin it to, or {@link #ANY_CPU}
     */
    public record Core(int lcore, int cpu) {}

    private CoreList() {}

    /** Reads a mask such as {@code f} or {@code 0x3}: bit n is lcore n on CPU n. */
    public static List<Core> mask(String text) {
        String digits = text.startsWith("0x") || text.startsWith("0X") ? text.substring(2) : text;
        if (digits.isEmpty()
                || digits.length() > MAX_LCORE / 4
                || !digits.matches("[0-9a-fA-F]+")) {
            throw new UsageException("Invalid coremask '" + text + "': give a hexadecimal number");
        }
        BigInteger mask = new BigInteger(digits, 16);
        List<Core> cores = new ArrayList<>();
        for (int i = 0; i < mask.bitLength(); i++) {
            if (mask.testBit(i)) {
                cores.add(new Core(i, i));
            }
        }
        if (cores.isEmpty()) {
            throw new UsageException("Invalid coremask '" + text + "': no bit is set");
        }
        return cores;
    }

    /** Reads a list such as {@code 0,2-4}: lcore n on CPU n. */
    public static List<Core> list(String text) {
        TreeSet<Integer> ids = new TreeSet<>();
        addRanges(text, text, ids);
        return ids.stream().map(id -> new Core(id, id)).toList();
    }

    /**
     * Reads a map such as {@code 0@1,(2-3)@(4,5),7}: an lcore without {@code @} is on its own CPU.
     */
    public static List<Core> map(String text) {
        TreeMap<Integer, Integer> cpuOf = new TreeMap<>();
        for (String part : splitOutsideBrackets(text)) {
            int at = part.indexOf('@');
            TreeSet<Integer> lcores = new TreeSet<>();
            addRanges(stripBrackets(at < 0 ? part : part.substring(0, at), text), text, lcores);
            if (at < 0) {
                lcores.forEach(id -> cpuOf.put(id, id));
                continue;
            }
            TreeSet<Integer> cpus = new TreeSet<>();
            addRanges(stripBrackets(part.substring(at + 1), text), text, cpus);
            // A set of CPUs for a set of lcores: hand them out in turn, one thread on one CPU.
            List<Integer> order = List.copyOf(cpus);
            int next = 0;
            for (int lcore : lcores) {
                cpuOf.put(lcore, order.get(next++ % order.size()));
            }
        }
        List<Core> cores = new ArrayList<>();
        cpuOf.forEach((lcore, cpu) -> cores.add(new Core(lcore, cpu)));
        return cores;
    }

    private static void addRanges(String list, String whole, Collection<Integer> ids) {
        for (String range : list.split(",", -1)) {
            int dash = range.indexOf('-');
            int from = number(dash < 0 ? range : range.substring(0, dash), whole);
            int to = dash < 0 ? from : number(range.substring(dash + 1), whole);
            if (to < from) {
                throw new UsageException("Invalid core list '" + whole + "': " + range);
            }
            for (int id = from; id <= to; id++) {
                ids.add(id);
            }
        }
    }

    private static int number(String text, String whole) {
        String digits = text.strip();
        if (!digits.matches("[0-9]{1,4}") || Integer.parseInt(digits) >= MAX_LCORE) {
            throw new UsageException(
                    "Invalid core list '"
                            + whole
                            + "': give numbers 0.."
                            + (MAX_LCORE - 1)
                            + ", ranges and commas, such as 0,2-3");
        }
        return Integer.parseInt(digits);
    }

    private static String stripBrackets(String text, String whole) {
        String inner = text.strip();
        boolean open = inner.startsWith("(");
        if (open != inner.endsWith(")")) {
            throw new UsageException("Invalid core list '" + whole + "': brackets do not match");
        }
        return open ? inner.substring(1, inner.length() - 1) : inner;
    }

    private static List<String> splitOutsideBrackets(String text) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '(') {
                depth++;
            } else if (c == ')') {
                depth--;
            } else if (c == ',' && depth == 0) {
                parts.add(text.substring(start, i));
                start = i + 1;
            }
        }
        parts.add(text.substring(start));
        return parts;
    }
}
