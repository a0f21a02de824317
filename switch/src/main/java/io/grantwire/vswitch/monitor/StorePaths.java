package io.grantwire.vswitch.monitor;

import io.grantwire.pmd.xenvirt.XenvirtKeys;

/** Where in the store guests are, and which guest a changed path concerns. */
final class StorePaths {
    /** The directory that has all domains' in it. */
    static final String DOMAINS = "/local/domain";

    private StorePaths() {}

    /**
     * The domain whose start keys lie at or below a path, for instance 7 for {@code
     * /local/domain/7/control}; or -1 when there are none below it.
     */
    static int domainAbove(String path) {
        int from = DOMAINS.length() + 1;
        if (path.length() <= from || !path.startsWith(DOMAINS)) {
            return -1;
        }
        int slash = path.indexOf('/', from);
        String number = slash < 0 ? path.substring(from) : path.substring(from, slash);
        String rest = slash < 0 ? "" : path.substring(slash + 1);
        boolean above =
                rest.isEmpty()
                        || isAtOrAbove(rest, XenvirtKeys.DIRECTORY)
                        || isAtOrAbove(rest, XenvirtKeys.ALTERNATIVE_DIRECTORY);
        return above ? domid(number) : -1;
    }

    private static boolean isAtOrAbove(String path, String directory) {
        return directory.equals(path)
                || directory.startsWith(path) && directory.charAt(path.length()) == '/';
    }

    /** The domain id that a directory is named after, or -1. */
    static int domid(String name) {
        int domid = 0;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c < '0' || c > '9' || i == 5) {
                return -1;
            }
            domid = domid * 10 + (c - '0');
        }
        return name.isEmpty() ? -1 : domid;
    }
}
