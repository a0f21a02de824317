package io.grantwire.xenstore;

import io.grantwire.bindings.gen.libc.LibC;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Turns failures into exceptions that say what to do next. */
final class XenstoreHints {
    private static final Pattern DOMAIN_PATH = Pattern.compile("/local/domain/([0-9]+)(/.*)?");

    private XenstoreHints() {}

    /**
     * The exception for an operation on a path.
     *
     * @param description of the connection
     */
    static XenstoreException exception(
            String operation, String path, XsFailure failure, String description) {
        return exception(operation, path, path, failure, description);
    }

    /**
     * The exception for an operation on a path.
     *
     * @param absolute the absolute form of the path if it is known, for the advice
     * @param description of the connection
     */
    static XenstoreException exception(
            String operation, String path, String absolute, XsFailure failure, String description) {
        String hint =
                failure.connectionOver()
                        ? description + ": " + failure.detail()
                        : failure.detail() != null
                                ? failure.detail()
                                : of(operation, absolute, failure.errno());
        return new XenstoreException(operation, path, failure.errno(), hint);
    }

    /**
     * What to do about a refusal by the store.
     *
     * @param operation as the caller knows it: read, write, mkdir …
     * @param path absolute, if the domain is to be named
     * @return one phrase, or null when the errno says it all
     */
    static String of(String operation, String path, int errno) {
        if (errno == LibC.EACCES() || errno == LibC.EPERM()) {
            return denied(operation, path);
        }
        if (errno == LibC.ENOENT()) {
            return absent(operation, path);
        }
        if (errno == LibC.ENOSPC() || errno == LibC.EDQUOT()) {
            return quota(operation);
        }
        if (errno == LibC.E2BIG()) {
            return operation.equals("directory")
                    ? "the list is longer than one message, and this store cannot send it in parts"
                    : quota(operation);
        }
        if (errno == LibC.EAGAIN() && operation.equals("transaction")) {
            return "others kept changing the same keys; try again when they are done";
        }
        if (errno == LibC.EROFS()) {
            return "this connection is read-only";
        }
        return null;
    }

    private static String denied(String operation, String path) {
        Matcher m = DOMAIN_PATH.matcher(path);
        boolean inDomain = m.matches();
        String below = inDomain ? m.group(2) : "/" + path;
        if (below != null && (below.equals("/control") || below.startsWith("/control/"))) {
            String id = inDomain ? m.group(1) : "<domid>";
            String key = "/local/domain/" + id + "/control/dpdk";
            return "a guest may not create keys in its control directory until dom0 gives it one; in"
                    + " dom0: grantwire xenstore write "
                    + key
                    + " '' && grantwire xenstore chmod "
                    + key
                    + " n"
                    + id;
        }
        return "this domain has no right to "
                + (operation.equals("read")
                                || operation.equals("directory")
                                || operation.equals("permissions")
                        ? "read it; in dom0: grantwire xenstore chmod " + path + " n0 r<domid>"
                        : "change it; in dom0: grantwire xenstore chmod " + path + " n0 b<domid>");
    }

    private static String absent(String operation, String path) {
        if (operation.equals("transaction")) {
            return "the store does not know this transaction any more";
        }
        if (operation.equals("rm")) {
            return "neither the key nor its parent exists";
        }
        String parent = XenstorePath.isAbsolute(path) ? XenstorePath.parent(path) : null;
        return "there is no such key"
                + (parent == null ? "" : "; what is there shows: grantwire xenstore ls " + parent);
    }

    private static String quota(String operation) {
        return switch (operation) {
            case "watch" ->
                    "this domain has as many watches as it may (128 by default); close some, or"
                            + " raise xenstored's limit";
            case "transaction" ->
                    "this domain has as many open transactions as it may (10 by default); end"
                            + " some, or raise xenstored's limit";
            case "setPermissions" ->
                    "the list has more entries than the store allows (5 by default)";
            default ->
                    "the value is larger than the store allows (2048 bytes by default), or this"
                            + " domain has as many keys as it may (1000 by default)";
        };
    }
}
