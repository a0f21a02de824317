package io.grantwire.tools.testpmd.command;

import java.util.Map;

/** The words typed, by the names the syntax gives them. */
public final class Values {
    private final Map<String, String> byName;

    Values(Map<String, String> byName) {
        this.byName = byName;
    }

    /** Whether an optional word was typed. */
    public boolean has(String name) {
        return byName.containsKey(name);
    }

    /** The word typed. */
    public String text(String name) {
        String value = byName.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the syntax has no " + name);
        }
        return value;
    }

    /** The number typed. */
    public int number(String name) {
        return Integer.parseInt(text(name));
    }

    /** The numbers typed between commas; a range {@code a-b} stands for all in it. */
    public int[] list(String name) {
        java.util.List<Integer> numbers = new java.util.ArrayList<>();
        for (String part : text(name).split(",", -1)) {
            String[] ends = part.split("-", -1);
            int from = Integer.parseInt(ends[0]);
            int to = ends.length > 1 ? Integer.parseInt(ends[1]) : from;
            if (ends.length > 2 || to < from || to - from > 1024) {
                throw new CommandException("Bad arguments: not a list of numbers: " + text(name));
            }
            for (int i = from; i <= to; i++) {
                numbers.add(i);
            }
        }
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The port typed, or -1 for {@code all}. */
    public int port(String name) {
        return text(name).equals("all") ? -1 : number(name);
    }
}
