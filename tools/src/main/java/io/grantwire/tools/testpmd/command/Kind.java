package io.grantwire.tools.testpmd.command;

import java.util.List;
import java.util.regex.Pattern;

/** What may stand at a place of a command. */
public enum Kind {
    /** A word as it stands, or one of several. */
    LITERAL("", "", ""),
    /** A number without sign. */
    UINT("uint", "[0-9]{1,9}", "a number"),
    /** A port number, or {@code all}. */
    PORT("port", "[0-9]{1,5}|all", "a port number or all"),
    /** A MAC address. */
    MAC("mac", "[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}", "a MAC address such as 00:00:00:00:00:11"),
    /** Numbers between commas. */
    LIST("list", "[0-9]{1,6}([,-][0-9]{1,6})*", "numbers between commas"),
    /** A hexadecimal mask. */
    MASK("mask", "(0[xX])?[0-9a-fA-F]{1,16}", "a hexadecimal mask"),
    /** A VLAN's number, or {@code all}. */
    VLAN("vlan", "[0-9]{1,4}|all", "a VLAN number or all"),
    /** Entries of a redirection table: {@code (hash,queue),(hash,queue)}. */
    RETA(
            "reta",
            "\\([0-9]{1,5},[0-9]{1,5}\\)(,\\([0-9]{1,5},[0-9]{1,5}\\))*",
            "entries such as (0,1),(1,0)"),
    /** Masks of a redirection table, 64 entries each: {@code (0xff,0x1)}. */
    MASKS(
            "masks",
            "\\((0[xX])?[0-9a-fA-F]{1,16}(,(0[xX])?[0-9a-fA-F]{1,16})*\\)",
            "masks such as (0xffffffffffffffff)"),
    /** Bytes in hexadecimal. */
    HEX("hex", "([0-9a-fA-F]{2}){1,128}", "bytes in hexadecimal"),
    /** Any word. */
    WORD("word", "\\S+", "a word");

    private final String label;
    private final Pattern pattern;
    private final String what;

    Kind(String label, String pattern, String what) {
        this.label = label;
        this.pattern = Pattern.compile(pattern);
        this.what = what;
    }

    /** The kind of that label; words between bars are literals. */
    static Kind of(String label) {
        if (label.indexOf('|') > 0) {
            return LITERAL;
        }
        for (Kind kind : values()) {
            if (kind != LITERAL && kind.label.equals(label)) {
                return kind;
            }
        }
        throw new IllegalArgumentException("no such kind of value: " + label);
    }

    boolean accepts(String typed, List<String> choices) {
        return this == LITERAL ? choices.contains(typed) : pattern.matcher(typed).matches();
    }

    String what() {
        return what;
    }
}
