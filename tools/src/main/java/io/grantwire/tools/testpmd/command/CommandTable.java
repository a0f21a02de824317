package io.grantwire.tools.testpmd.command;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A command language as a table of {@link Rule}s: finds the row a line means. */
public final class CommandTable {
    private final List<Rule> rules;

    /**
     * @param rules the rows; where two fit a line the first wins
     */
    public CommandTable(List<Rule> rules) {
        this.rules = List.copyOf(rules);
    }

    /** The rows, in order. */
    public List<Rule> rules() {
        return rules;
    }

    /**
     * Runs the command on a line. Nothing happens on an empty one or a comment ({@code #}).
     *
     * @throws CommandException when no row fits, saying what was expected where
     */
    public void run(String line) {
        String[] typed = words(line);
        if (typed.length == 0) {
            return;
        }
        int deepest = 0;
        Set<String> expected = new LinkedHashSet<>();
        for (Rule rule : rules) {
            int matched = matched(rule, typed);
            if (matched == typed.length && typed.length >= rule.required()) {
                rule.action().run(values(rule, typed));
                return;
            }
            if (matched > deepest) {
                deepest = matched;
                expected.clear();
            }
            if (matched == deepest && matched > 0) {
                expected.add(
                        matched < rule.words().size()
                                ? rule.words().get(matched).expectation()
                                : "the end of the line");
            }
        }
        if (deepest == 0) {
            throw new CommandException("Command not found: " + typed[0] + " (try help)");
        }
        throw new CommandException(
                (deepest < typed.length ? "Bad arguments" : "Incomplete command")
                        + ": expected "
                        + String.join(" or ", expected)
                        + " after \""
                        + String.join(" ", List.of(typed).subList(0, deepest))
                        + "\""
                        + (deepest < typed.length ? ", not \"" + typed[deepest] + "\"" : ""));
    }

    /** The words that may follow what was typed so far, for completion. */
    public Set<String> completions(List<String> before) {
        Set<String> next = new TreeSet<>();
        String[] typed = before.toArray(String[]::new);
        for (Rule rule : rules) {
            if (rule.words().size() > typed.length && matched(rule, typed) == typed.length) {
                next.addAll(rule.words().get(typed.length).choices());
            }
        }
        return next;
    }

    /** The sections of the help, in order, each with its rows. */
    public Map<String, List<Rule>> sections() {
        Map<String, List<Rule>> sections = new LinkedHashMap<>();
        for (Rule rule : rules) {
            sections.computeIfAbsent(rule.section(), key -> new ArrayList<>()).add(rule);
        }
        return sections;
    }

    private static String[] words(String line) {
        int comment = line.indexOf('#');
        String text = (comment < 0 ? line : line.substring(0, comment)).strip();
        return text.isEmpty() ? new String[0] : text.split("\\s+");
    }

    private static int matched(Rule rule, String[] typed) {
        int n = 0;
        while (n < typed.length
                && n < rule.words().size()
                && rule.words().get(n).accepts(typed[n])) {
            n++;
        }
        return n;
    }

    private static Values values(Rule rule, String[] typed) {
        Map<String, String> byName = new HashMap<>();
        for (int i = 0; i < typed.length; i++) {
            byName.put(rule.words().get(i).name(), typed[i]);
        }
        return new Values(byName);
    }
}
