package io.grantwire.pmd.lcore;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which lcores to run and on which CPUs each, as the EAL options say it. Ascending by lcore id;
 * immutable.
 */
public final class LcoreSet {
    /** CPU numbers are below this. */
    public static final int MAX_CPU = 1024;

    /**
     * One lcore.
     *
     * @param id its lcore id
     * @param cpus the CPUs it may run on, ascending, at least one
     */
    public record Entry(int id, List<Integer> cpus) {}

    private final List<Entry> entries;

    private LcoreSet(SortedMap<Integer, SortedSet<Integer>> map) {
        List<Entry> list = new ArrayList<>();
        map.forEach((id, cpus) -> list.add(new Entry(id, List.copyOf(cpus))));
        entries = List.copyOf(list);
    }

    /**
     * Reads a core mask ({@code -c}): hexadecimal, {@code 0x} in front or not. Bit n is lcore n on
     * CPU n.
     *
     * @throws IllegalArgumentException when it is anything else, empty, or names an lcore too high
     */
    public static LcoreSet mask(String text) {
        String digits = text.startsWith("0x") || text.startsWith("0X") ? text.substring(2) : text;
        if (!digits.matches("[0-9a-fA-F]{1,64}")) {
            throw new IllegalArgumentException(
                    "core mask '" + text + "': write it in hexadecimal, as 0xf");
        }
        TreeMap<Integer, SortedSet<Integer>> map = new TreeMap<>();
        for (int i = 0; i < digits.length(); i++) {
            int digit = Character.digit(digits.charAt(digits.length() - 1 - i), 16);
            for (int bit = 0; bit < 4; bit++) {
                if ((digit & 1 << bit) != 0) {
                    int id = 4 * i + bit;
                    checkLcore("core mask '" + text + "'", id);
                    map.put(id, new TreeSet<>(List.of(id)));
                }
            }
        }
        if (map.isEmpty()) {
            throw new IllegalArgumentException("core mask '" + text + "': no core is set");
        }
        return new LcoreSet(map);
    }

    /**
     * Reads a core list ({@code -l}, {@code --lcores}): {@code 0-3,5} is lcore n on CPU n; {@code
     * lcores@cpus} puts lcores on other CPUs, where either side is a number, or several in
     * parentheses ({@code (0-2,5)@(1,3)} lets each of four lcores run on either of two CPUs). A
     * group in parentheses without {@code @} runs on the CPUs of the same numbers, all of them
     * together.
     *
     * @throws IllegalArgumentException when it is anything else, or names an lcore too high or
     *     twice
     */
    public static LcoreSet list(String text) {
        return new Parser(text).parse();
    }

    private static void checkLcore(String what, int id) {
        if (id >= Lcore.MAX) {
            throw new IllegalArgumentException(
                    what + ": lcore " + id + " is not in 0 to " + (Lcore.MAX - 1));
        }
    }

    /** The lcores, ascending by id. */
    public List<Entry> entries() {
        return entries;
    }

    /** How many lcores. */
    public int size() {
        return entries.size();
    }

    /** The lcores' ids, ascending. */
    public List<Integer> ids() {
        return entries.stream().map(Entry::id).toList();
    }

    /** The lcore with the lowest id: the main one unless told otherwise. */
    public Entry first() {
        return entries.get(0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LcoreSet set && set.entries.equals(entries);
    }

    @Override
    public int hashCode() {
        return entries.hashCode();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Entry e : entries) {
            text.append(text.isEmpty() ? "" : ",").append(e.id());
            if (!e.cpus().equals(List.of(e.id()))) {
                String cpus = e.cpus().toString().replace(" ", "");
                text.append("@(").append(cpus, 1, cpus.length() - 1).append(')');
            }
        }
        return text.toString();
    }

    private static final class Parser {
        private final String text;
        private final TreeMap<Integer, SortedSet<Integer>> map = new TreeMap<>();
        private int at;

        Parser(String text) {
            this.text = text;
        }

        LcoreSet parse() {
            do {
                boolean group = peek() == '(';
                SortedSet<Integer> lcores = group ? group() : range();
                if (accept('@')) {
                    SortedSet<Integer> cpus = peek() == '(' ? group() : range();
                    lcores.forEach(id -> add(id, cpus));
                } else if (group) {
                    lcores.forEach(id -> add(id, lcores));
                } else {
                    lcores.forEach(id -> add(id, new TreeSet<>(List.of(id))));
                }
            } while (accept(','));
            if (at != text.length()) {
                throw bad("unexpected '" + peek() + "'");
            }
            return new LcoreSet(map);
        }

        private void add(int id, SortedSet<Integer> cpus) {
            checkLcore("core list '" + text + "'", id);
            if (map.put(id, cpus) != null) {
                throw bad("lcore " + id + " comes twice");
            }
        }

        private SortedSet<Integer> group() {
            at++;
            SortedSet<Integer> all = new TreeSet<>();
            do {
                all.addAll(range());
            } while (accept(','));
            if (!accept(')')) {
                throw bad("')' is missing");
            }
            return all;
        }

        private SortedSet<Integer> range() {
            int first = number();
            int last = accept('-') ? number() : first;
            // Either order, as the EAL takes it.
            SortedSet<Integer> all = new TreeSet<>();
            for (int i = Math.min(first, last); i <= Math.max(first, last); i++) {
                all.add(i);
            }
            return all;
        }

        private int number() {
            int start = at;
            int value = 0;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                value = Math.min(10 * value + text.charAt(at) - '0', MAX_CPU);
                at++;
            }
            if (start == at) {
                throw bad("a number is missing");
            }
            if (value >= MAX_CPU) {
                throw bad("numbers are below " + MAX_CPU);
            }
            return value;
        }

        private char peek() {
            return at < text.length() ? text.charAt(at) : 0;
        }

        private boolean accept(char c) {
            if (peek() == c) {
                at++;
                return true;
            }
            return false;
        }

        private IllegalArgumentException bad(String why) {
            return new IllegalArgumentException(
                    "core list '"
                            + text
                            + "': "
                            + why
                            + " at character "
                            + (at + 1)
                            + "; write it as 0-3,5 or 0@1,(1-2)@(2,3)");
        }
    }
}
