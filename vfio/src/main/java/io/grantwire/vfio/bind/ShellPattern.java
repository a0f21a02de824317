package io.grantwire.vfio.bind;

import java.util.regex.Pattern;

/**
 * A shell pattern with {@code *}, {@code ?} and {@code […]}, as fnmatch(3) reads it without flags:
 * how module aliases are written, and how people name several devices.
 */
final class ShellPattern {
    private final Pattern regex;

    ShellPattern(String text) {
        StringBuilder r = new StringBuilder();
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            int end = c == '[' ? closing(text, i) : -1;
            if (end > 0) {
                r.append(bracket(text.substring(i + 1, end)));
                i = end + 1;
                continue;
            }
            switch (c) {
                case '*' -> r.append(".*");
                case '?' -> r.append('.');
                default -> r.append(Pattern.quote(String.valueOf(c)));
            }
            i++;
        }
        regex = Pattern.compile(r.toString(), Pattern.DOTALL);
    }

    boolean matches(String text) {
        return regex.matcher(text).matches();
    }

    /** Whether the text means more than itself. */
    static boolean isPattern(String text) {
        return text.indexOf('*') >= 0 || text.indexOf('?') >= 0 || text.indexOf('[') >= 0;
    }

    /** The bracket that closes the set opened at a place; a set has at least one member. */
    private static int closing(String text, int open) {
        int first = open + 1;
        if (first < text.length() && (text.charAt(first) == '!' || text.charAt(first) == '^')) {
            first++;
        }
        return text.indexOf(']', first + 1);
    }

    private static String bracket(String members) {
        boolean not = members.startsWith("!") || members.startsWith("^");
        String set = not ? members.substring(1) : members;
        StringBuilder r = new StringBuilder(not ? "[^" : "[");
        for (int i = 0; i < set.length(); i++) {
            boolean range = i + 2 < set.length() && set.charAt(i + 1) == '-';
            if (range && set.charAt(i) <= set.charAt(i + 2)) {
                r.append(literal(set.charAt(i))).append('-').append(literal(set.charAt(i + 2)));
                i += 2;
            } else {
                r.append(literal(set.charAt(i)));
            }
        }
        return r.append(']').toString();
    }

    private static String literal(char c) {
        return Character.isLetterOrDigit(c)
                ? String.valueOf(c)
                : "\\x{" + Integer.toHexString(c) + "}";
    }
}
