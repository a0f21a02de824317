package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;

/** Turns what a client sent as a path into an absolute, valid one. */
final class StorePaths {
    private static final String DOMAINS = "/local/domain/";

    private StorePaths() {}

    /** A key's path. */
    static String key(String text, Subject subject, Quotas quotas) throws StoreError {
        if (XenstorePath.isSpecial(text)) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        return keyOrSpecial(text, subject, quotas);
    }

    /** A key's path, or the name of a special watch. */
    static String keyOrSpecial(String text, Subject subject, Quotas quotas) throws StoreError {
        if (XenstorePath.problemOrSpecial(text) != null) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        String path = XenstorePath.absolute(text, subject.domid());
        if (path.length() > XenstorePath.ABSOLUTE_MAX
                || (!subject.privileged() && path.length() - ownPart(path) > quotas.pathLength())) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        return path;
    }

    /** How much of a path is a domain's own directory, which the limit does not count. */
    private static int ownPart(String path) {
        if (!path.startsWith(DOMAINS)) {
            return 0;
        }
        int i = DOMAINS.length();
        int end = Math.min(path.length(), i + 5);
        while (i < end && path.charAt(i) >= '0' && path.charAt(i) <= '9') {
            i++;
        }
        return i > DOMAINS.length() && i < path.length() && path.charAt(i) == '/' ? i + 1 : 0;
    }

    /** A domain's number in decimal. */
    static int domid(String text) throws StoreError {
        int value = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                throw new StoreError(StoreErrno.EINVAL);
            }
            value = value * 10 + (c - '0');
            if (value > 0xffff) {
                throw new StoreError(StoreErrno.EINVAL);
            }
        }
        if (text.isEmpty()) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        return value;
    }
}
