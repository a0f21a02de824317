package io.grantwire.xenstore;

/**
 * The rules for xenstore paths: {@code A-Z a-z 0-9 - / _ @}, no empty components, no trailing
 * slash, at most 3072 bytes when absolute and 2048 when relative to the caller's own domain. A name
 * that begins with {@code @} is a special watch ({@code @releaseDomain}), not a key.
 *
 * <p>Pure functions; any thread. Source: {@code docs/misc/xenstore.txt} and {@code
 * xen/include/public/io/xs_wire.h} of the Xen tree.
 */
public final class XenstorePath {
    /** Most bytes of an absolute path. */
    public static final int ABSOLUTE_MAX = 3072;

    /** Most bytes of a relative path. */
    public static final int RELATIVE_MAX = 2048;

    /** The special watch that fires when a domain's connection is set up. */
    public static final String INTRODUCE_DOMAIN = "@introduceDomain";

    /** The special watch that fires when a domain shuts down, crashes or is destroyed. */
    public static final String RELEASE_DOMAIN = "@releaseDomain";

    private XenstorePath() {}

    /**
     * Checks a key's path.
     *
     * @return what is wrong with it, for people, or null when it is valid
     */
    public static String problem(String path) {
        if (isSpecial(path)) {
            return "names that begin with @ can be watched and have permissions, but are no keys";
        }
        return syntaxProblem(path);
    }

    /**
     * Checks what may be watched or have permissions: a key's path or a special name.
     *
     * @return what is wrong with it, for people, or null when it is valid
     */
    public static String problemOrSpecial(String path) {
        return syntaxProblem(path);
    }

    private static String syntaxProblem(String path) {
        if (path.isEmpty()) {
            return "the path is empty";
        }
        int limit = isAbsolute(path) ? ABSOLUTE_MAX : RELATIVE_MAX;
        if (path.length() > limit) {
            return "the path has " + path.length() + " characters; the limit is " + limit;
        }
        char before = 0;
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (!allowed(c)) {
                return "the character "
                        + (c > ' ' && c < 0x7f
                                ? "'" + c + "'"
                                : "U+" + Integer.toHexString(0x10000 | c).substring(1))
                        + " at position "
                        + i
                        + " is not one of A-Z a-z 0-9 - / _ @";
            }
            if (c == '/' && before == '/') {
                return "there is a double slash at position " + (i - 1);
            }
            before = c;
        }
        if (before == '/' && path.length() > 1) {
            return "the path ends with a slash";
        }
        return null;
    }

    private static boolean allowed(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '/'
                || c == '_'
                || c == '@';
    }

    /** Whether the path starts at the root. */
    public static boolean isAbsolute(String path) {
        return path.startsWith("/");
    }

    /** Whether it is the name of a special watch. */
    public static boolean isSpecial(String path) {
        return path.startsWith("@");
    }

    /** A domain's own directory, {@code /local/domain/<domid>}. */
    public static String ofDomain(int domid) {
        return "/local/domain/" + domid;
    }

    /**
     * The absolute form of a valid path: a relative one is below its domain's own directory;
     * absolute and special ones stay as they are.
     */
    public static String absolute(String path, int domid) {
        return isAbsolute(path) || isSpecial(path) ? path : ofDomain(domid) + "/" + path;
    }

    /** The path above a valid absolute path, or null above the root. */
    public static String parent(String path) {
        if (path.length() <= 1) {
            return null;
        }
        int slash = path.lastIndexOf('/');
        return slash == 0 ? "/" : path.substring(0, slash);
    }

    /** The last component of a valid path; empty for the root. */
    public static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** The path of {@code name} directly below the valid path {@code parent}. */
    public static String child(String parent, String name) {
        return parent.equals("/") ? "/" + name : parent + "/" + name;
    }

    /**
     * Whether {@code path} is {@code top} or below it, as a watch on {@code top} matches.
     *
     * @param top a valid path or special name
     * @param path a valid path or special name of the same kind
     */
    public static boolean isWithin(String top, String path) {
        if (top.equals("/")) {
            return isAbsolute(path);
        }
        return path.startsWith(top)
                && (path.length() == top.length() || path.charAt(top.length()) == '/');
    }
}
