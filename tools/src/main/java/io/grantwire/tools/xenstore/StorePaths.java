package io.grantwire.tools.xenstore;

/** Arithmetic on store paths. */
final class StorePaths {
    private StorePaths() {}

    /** A key's path below another's. */
    static String child(String path, String name) {
        return path.endsWith("/") ? path + name : path + "/" + name;
    }

    /** The path above, or null above the root and above a relative path's first key. */
    static String parent(String path) {
        int slash = path.lastIndexOf('/');
        if (slash < 0 || path.equals("/")) {
            return null;
        }
        return slash == 0 ? "/" : path.substring(0, slash);
    }
}
