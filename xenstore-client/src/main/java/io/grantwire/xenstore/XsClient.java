package io.grantwire.xenstore;

import io.grantwire.bindings.gen.libc.LibC;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What every kind of connection has in common: arguments are checked before anything is sent,
 * transactions are run again on conflicts and always ended, each watch has a queue of its own, and
 * failures say what to do.
 */
final class XsClient implements Xenstore {
    /** How often a transaction's body is run before a conflict is reported. */
    static final int TRANSACTION_ATTEMPTS = 40;

    /** Longest pause before a transaction is run again. */
    private static final long LONGEST_PAUSE_NANOS = 64_000_000;

    /**
     * Longest token. An event carries a path and the token, and the C xenstored silently drops
     * events over the payload limit; with this bound the longest path still fits.
     */
    static final int TOKEN_MAX = 960;

    private final XsConnection connection;
    private final Map<String, XsWatch> watches = new ConcurrentHashMap<>();
    private final AtomicLong watchNumbers = new AtomicLong();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile XsFailure over;

    /**
     * @param connection not started yet; owned by the client from now on
     */
    XsClient(XsConnection connection) {
        this.connection = connection;
        connection.start(
                new XsConnection.Listener() {
                    @Override
                    public void event(String path, String token) {
                        XsWatch watch = watches.get(token);
                        // An event may have been under way when its watch was closed.
                        if (watch != null) {
                            watch.add(path);
                        }
                    }

                    @Override
                    public void over(XsFailure why) {
                        over = why;
                        watches.values().forEach(w -> w.fail(why));
                    }
                });
    }

    @Override
    public String description() {
        return connection.description();
    }

    @Override
    public boolean connected() {
        return over == null && connection.connected();
    }

    @Override
    public byte[] read(String path) {
        return read(0, path);
    }

    @Override
    public String readString(String path) {
        return readString(0, path);
    }

    @Override
    public void write(String path, byte[] value) {
        write(0, path, value);
    }

    @Override
    public void write(String path, String value) {
        write(0, path, value);
    }

    @Override
    public void mkdir(String path) {
        mkdir(0, path);
    }

    @Override
    public void rm(String path) {
        rm(0, path);
    }

    @Override
    public List<String> directory(String path) {
        return directory(0, path);
    }

    @Override
    public boolean exists(String path) {
        return exists(0, path);
    }

    @Override
    public List<XenstorePermission> permissions(String path) {
        return permissions(0, path);
    }

    @Override
    public void setPermissions(String path, List<XenstorePermission> permissions) {
        setPermissions(0, path, permissions);
    }

    @Override
    public String domainPath(int domid) {
        if (domid < 0 || domid > 0xffff) {
            throw invalid("domainPath", "", "domain id " + domid + " is not in 0..65535");
        }
        return run("domainPath", "", () -> connection.domainPath(domid));
    }

    // Operations, with the transaction they belong to

    byte[] read(int tx, String path) {
        checkKey("read", path);
        return run("read", path, () -> connection.read(tx, path));
    }

    String readString(int tx, String path) {
        byte[] value = readIfThere(tx, path, LibC.ENOENT());
        return value == null ? null : XsWire.text(value);
    }

    boolean exists(int tx, String path) {
        return readIfThere(tx, path, LibC.EACCES()) != null;
    }

    /** The value, or null when the store says ENOENT or the other errno. */
    private byte[] readIfThere(int tx, String path, int orErrno) {
        try {
            return read(tx, path);
        } catch (XenstoreException e) {
            if (e.errno() == LibC.ENOENT() || e.errno() == orErrno) {
                return null;
            }
            throw e;
        }
    }

    void write(int tx, String path, byte[] value) {
        checkKey("write", path);
        checkPayload("write", path, value.length, "a value");
        run(
                "write",
                path,
                () -> {
                    connection.write(tx, path, value);
                    return null;
                });
    }

    void write(int tx, String path, String value) {
        byte[] bytes;
        try {
            bytes = XsWire.bytes(value);
        } catch (IllegalArgumentException e) {
            throw invalid("write", path, e.getMessage());
        }
        write(tx, path, bytes);
    }

    void mkdir(int tx, String path) {
        checkKey("mkdir", path);
        run(
                "mkdir",
                path,
                () -> {
                    connection.mkdir(tx, path);
                    return null;
                });
    }

    void rm(int tx, String path) {
        checkKey("rm", path);
        if (path.equals("/")) {
            throw invalid("rm", path, "the root cannot be removed");
        }
        run(
                "rm",
                path,
                () -> {
                    connection.rm(tx, path);
                    return null;
                });
    }

    List<String> directory(int tx, String path) {
        checkKey("directory", path);
        return run("directory", path, () -> connection.directory(tx, path));
    }

    List<XenstorePermission> permissions(int tx, String path) {
        check("permissions", path, XenstorePath.problemOrSpecial(path));
        return run("permissions", path, () -> connection.permissions(tx, path));
    }

    void setPermissions(int tx, String path, List<XenstorePermission> permissions) {
        check("setPermissions", path, XenstorePath.problemOrSpecial(path));
        List<XenstorePermission> list = List.copyOf(permissions);
        if (list.isEmpty()) {
            throw invalid(
                    "setPermissions", path, "the list has no entry; the first names the owner");
        }
        int size = 0;
        for (XenstorePermission p : list) {
            size += p.toString().length() + 1;
        }
        checkPayload("setPermissions", path, size, "a list");
        run(
                "setPermissions",
                path,
                () -> {
                    connection.setPermissions(tx, path, list);
                    return null;
                });
    }

    // Transactions

    @Override
    public <T> T transaction(Function<XenstoreTransaction, T> body) {
        for (int attempt = 1; ; attempt++) {
            int tx = run("transaction", "", connection::startTransaction);
            try {
                T result = runBody(tx, body);
                connection.endTransaction(tx, true);
                return result;
            } catch (XsFailure e) {
                if (e.connectionOver()
                        || e.errno() != LibC.EAGAIN()
                        || attempt >= TRANSACTION_ATTEMPTS) {
                    throw exception("transaction", "", e);
                }
            }
            pause(attempt);
        }
    }

    /**
     * What the body returned.
     *
     * @throws XsFailure EAGAIN when the body failed for the loss of a connection that comes back
     */
    private <T> T runBody(int tx, Function<XenstoreTransaction, T> body) {
        XsTransaction view = new XsTransaction(this, tx);
        try {
            T result = body.apply(view);
            view.end();
            return result;
        } catch (RuntimeException | Error e) {
            view.end();
            boolean lost =
                    e instanceof XenstoreException x
                            && x.errno() == LibC.EAGAIN()
                            && connection.transactionLost(tx);
            try {
                connection.endTransaction(tx, false);
            } catch (XsFailure second) {
                // The store drops the transaction with the connection, if nothing else; what the
                // caller has to know is the first failure.
                e.addSuppressed(exception("transaction", "", second));
            }
            if (lost) {
                throw XsFailure.refused(LibC.EAGAIN(), "its connection was lost");
            }
            throw e;
        }
    }

    /** Lets the others finish: a random time, the longer the more often it went wrong. */
    private static void pause(int attempt) {
        long most = Math.min(LONGEST_PAUSE_NANOS, 500_000L << Math.min(attempt, 10));
        // An interrupt only shortens the pause, and stays set for the caller.
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(most / 2, most));
    }

    // Watches

    @Override
    public XenstoreWatch watch(String path, String token) {
        check("watch", path, XenstorePath.problemOrSpecial(path));
        if (token.length() > TOKEN_MAX) {
            throw invalid(
                    "watch",
                    path,
                    "the token has " + token.length() + " characters; the limit is " + TOKEN_MAX);
        }
        for (int i = 0; i < token.length(); i++) {
            if (token.charAt(i) == 0 || token.charAt(i) > 0xff) {
                throw invalid("watch", path, "the token has a NUL or a character above U+00FF");
            }
        }
        // The number makes the token unique, so that events find their queue even when a path is
        // watched twice with the same token.
        String wireToken = watchNumbers.incrementAndGet() + ":" + token;
        XsWatch watch =
                new XsWatch(
                        path, token, connection.description(), w -> unwatch(w.path(), wireToken));
        // Registered first: the first event may come before the store's reply.
        watches.put(wireToken, watch);
        if (over != null) {
            watch.fail(over);
        }
        try {
            run(
                    "watch",
                    path,
                    () -> {
                        connection.watch(path, wireToken);
                        return null;
                    });
        } catch (RuntimeException | Error e) {
            watches.remove(wireToken);
            throw e;
        }
        if (closed.get()) {
            watch.end();
        }
        return watch;
    }

    private void unwatch(String path, String wireToken) {
        watches.remove(wireToken);
        try {
            connection.unwatch(path, wireToken);
        } catch (XsFailure e) {
            // The watch is gone in any case: either the store did not know it, or it went with the
            // connection.
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            // First, so that consumers see an orderly end, not a lost connection.
            watches.values().forEach(XsWatch::end);
            connection.close();
            watches.clear();
        }
    }

    // Checks and failures

    private void checkKey(String operation, String path) {
        check(operation, path, XenstorePath.problem(path));
    }

    private static void check(String operation, String path, String problem) {
        if (problem != null) {
            throw invalid(operation, path, problem);
        }
    }

    private void checkPayload(String operation, String path, int size, String what) {
        int most = connection.payloadMax() - path.length() - 1;
        if (size > most) {
            throw new XenstoreException(
                    operation,
                    path,
                    LibC.E2BIG(),
                    what + " of " + size + " bytes; at most " + most + " fit after this path");
        }
    }

    private static XenstoreException invalid(String operation, String path, String problem) {
        // A path can be anything here: keep the message to one readable line.
        String shown = path.length() > 80 ? path.substring(0, 77) + "..." : path;
        return new XenstoreException(
                operation, shown.replaceAll("[^ -~]", "?"), LibC.EINVAL(), problem);
    }

    private <T> T run(String operation, String path, Supplier<T> operationOnConnection) {
        try {
            return operationOnConnection.get();
        } catch (XsFailure e) {
            throw exception(operation, path, e);
        }
    }

    private XenstoreException exception(String operation, String path, XsFailure e) {
        // Advice about a guest's control directory should name the guest.
        boolean inOwnControl =
                e.errno() == LibC.EACCES()
                        && !e.connectionOver()
                        && (path.equals("control") || path.startsWith("control/"));
        String absolute = inOwnControl ? ownPath() + path : path;
        return XenstoreHints.exception(operation, path, absolute, e, connection.description());
    }

    /** This domain's own path and a slash, or nothing when it cannot be found out. */
    private String ownPath() {
        try {
            String domid = XsWire.text(connection.read(0, "domid"));
            return XenstorePath.ofDomain(XsWire.number(domid)) + "/";
        } catch (XsFailure | XsProtocolException e) {
            return "";
        }
    }

    @Override
    public String toString() {
        return "xenstore client on " + connection.description();
    }
}
