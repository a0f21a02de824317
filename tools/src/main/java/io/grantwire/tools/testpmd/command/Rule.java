package io.grantwire.tools.testpmd.command;

import java.util.ArrayList;
import java.util.List;

/**
 * One row of the command table: a syntax, its help, and what to do.
 *
 * <p>The syntax is words between blanks: {@code show} is typed as it stands; {@code info|stats} is
 * one of several words, {@code <what:info|stats>} the same with a name; {@code <n:uint>}, {@code
 * <port:port>}, {@code <mac:mac>}, {@code <list:list>} and {@code <text:word>} are values; {@code
 * [retry]} at the end may be left out.
 *
 * @param syntax the syntax, as help shows it
 * @param section the part of the help it belongs to
 * @param help what it does, one sentence
 * @param action what to do with the values
 * @param words the syntax taken apart
 */
public record Rule(String syntax, String section, String help, Action action, List<Word> words) {
    /** What a command does. */
    @FunctionalInterface
    public interface Action {
        /**
         * Does it.
         *
         * @throws CommandException when it cannot, with a line for people
         */
        void run(Values values);
    }

    /**
     * One word of a syntax.
     *
     * @param name the value's name; for a choice its words, for a literal the word
     * @param kind what may stand there
     * @param choices the words allowed, for literals and choices
     * @param optional whether it may be missing
     */
    public record Word(String name, Kind kind, List<String> choices, boolean optional) {
        /** Whether the word typed fits. */
        boolean accepts(String typed) {
            return kind.accepts(typed, choices);
        }

        /** How to tell a person what belongs here. */
        String expectation() {
            return kind == Kind.LITERAL ? String.join(" or ", choices) : kind.what();
        }
    }

    /** Makes a row, taking the syntax apart. */
    public static Rule of(String section, String syntax, String help, Action action) {
        List<Word> words = new ArrayList<>();
        for (String text : syntax.split(" ")) {
            boolean optional = text.startsWith("[");
            String inner = optional ? text.substring(1, text.length() - 1) : text;
            if (inner.startsWith("<")) {
                int colon = inner.indexOf(':');
                String name = inner.substring(1, colon);
                String type = inner.substring(colon + 1, inner.length() - 1);
                Kind kind = Kind.of(type);
                List<String> choices =
                        kind == Kind.LITERAL ? List.of(type.split("\\|")) : List.of();
                words.add(new Word(name, kind, choices, optional));
            } else {
                words.add(new Word(inner, Kind.LITERAL, List.of(inner.split("\\|")), optional));
            }
        }
        return new Rule(syntax, section, help, action, List.copyOf(words));
    }

    /** The syntax as help shows it, without the kinds of values. */
    public String shownSyntax() {
        return syntax.replaceAll("<[a-z]+:([^>]*\\|[^>]*)>", "$1").replaceAll(":[a-z]+>", ">");
    }

    /** How many words have to be typed. */
    int required() {
        return (int) words.stream().filter(word -> !word.optional()).count();
    }
}
