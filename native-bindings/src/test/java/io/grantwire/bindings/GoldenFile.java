package io.grantwire.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a C program of {@code src/test/c} printed: facts by name, in its order. */
record GoldenFile(List<String> versions, Map<String, String> facts) {
    /** The generated packages, each with the name of its class of constants. */
    static final Map<String, String> PACKAGES =
            Map.of(
                    "libc", "LibC",
                    "uapi", "Uapi",
                    "xen", "Xen",
                    "xenstore", "LibXenstore");

    static GoldenFile recorded(String generatedPackage) throws IOException {
        String name = "/golden/" + generatedPackage + ".txt";
        try (InputStream in = GoldenFile.class.getResourceAsStream(name)) {
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /**
     * Lines are {@code type <C type> <size>}, {@code field <C type> <path> <offset> <size>} and
     * {@code constant <name> <value>}; the numbers are the fact, what precedes them its name.
     */
    static GoldenFile parse(String text) {
        Map<String, String> facts = new LinkedHashMap<>();
        for (String line : text.lines().filter(l -> !l.startsWith("#")).toList()) {
            int split = line.lastIndexOf(' ');
            if (line.startsWith("field ")) {
                split = line.lastIndexOf(' ', split - 1);
            }
            facts.put(line.substring(0, split), line.substring(split + 1));
        }
        return new GoldenFile(text.lines().filter(l -> l.startsWith("#")).toList(), facts);
    }
}
