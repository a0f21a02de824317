package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xenstore.LibXenstore;
import io.grantwire.bindings.gen.xenstore.xs_permissions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A connection to xenstore through the Xen tools' own library.
 *
 * <p>A thin face: paths are passed as given, every failure is a {@link NativeException} with the
 * library's {@code errno}, and what the library allocates is copied and freed. Any thread may use
 * it; {@link #close} waits for calls in progress. Transaction 0 is none.
 */
public final class XsHandle implements AutoCloseable {
    /**
     * One entry of a node's permission list; the first names the owner, and what everybody else may
     * do.
     *
     * @param domid the domain
     * @param bits {@code XS_PERM_READ}, {@code XS_PERM_WRITE} of {@link LibXenstore}
     */
    public record Permission(int domid, int bits) {}

    /**
     * A watch that fired.
     *
     * @param path what changed, or the watched path itself for the first event
     * @param token the token the watch was set with
     */
    public record WatchEvent(String path, String token) {}

    private final MemorySegment handle;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    private XsHandle(MemorySegment handle) {
        this.handle = handle;
    }

    /**
     * Connects as the library does: the socket that {@code XENSTORED_PATH} names or the daemon's
     * usual one, else the kernel's device.
     *
     * @throws NativeException if nothing answers, or with {@code ENOSYS} if the library is absent
     */
    public static XsHandle open() {
        String reason = LibXenstoreLibrary.unavailable().orElse(null);
        if (reason != null) {
            throw new NativeException("xs_open()", LibC.ENOSYS(), reason);
        }
        MemorySegment handle;
        try {
            handle = (MemorySegment) Calls.OPEN.invokeExact(CaptureState.segment(), 0L);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (handle.address() == 0) {
            int errno = CaptureState.errno();
            String hint =
                    errno == LibC.ENOENT() || errno == LibC.ECONNREFUSED()
                            ? "no xenstored runs here; name the socket of an emulated host with:"
                                    + " XENSTORED_PATH=<dir>/xenstored.sock"
                            : Hints.open("/dev/xen/xenbus", errno);
            throw new NativeException("xs_open()", errno, hint);
        }
        return new XsHandle(handle);
    }

    /** A node's value. */
    public byte[] read(int transaction, String path) {
        return call(
                "xs_read",
                path,
                arena -> {
                    MemorySegment length = arena.allocate(JAVA_INT);
                    MemorySegment value =
                            (MemorySegment)
                                    Calls.READ.invokeExact(
                                            CaptureState.segment(),
                                            handle,
                                            transaction,
                                            arena.allocateFrom(path),
                                            length);
                    if (value.address() == 0) {
                        return null;
                    }
                    byte[] copy =
                            value.reinterpret(Integer.toUnsignedLong(length.get(JAVA_INT, 0)))
                                    .toArray(JAVA_BYTE);
                    LibC.free(value);
                    return copy;
                });
    }

    /** Sets a node's value, making the node and its parents. */
    public void write(int transaction, String path, byte[] value) {
        check(
                "xs_write",
                path,
                arena ->
                        (boolean)
                                Calls.WRITE.invokeExact(
                                        CaptureState.segment(),
                                        handle,
                                        transaction,
                                        arena.allocateFrom(path),
                                        arena.allocateFrom(JAVA_BYTE, value),
                                        value.length));
    }

    /** Makes a node with an empty value if it is not there. */
    public void mkdir(int transaction, String path) {
        check(
                "xs_mkdir",
                path,
                arena ->
                        (boolean)
                                Calls.MKDIR.invokeExact(
                                        CaptureState.segment(),
                                        handle,
                                        transaction,
                                        arena.allocateFrom(path)));
    }

    /** Removes a node and everything under it. */
    public void rm(int transaction, String path) {
        check(
                "xs_rm",
                path,
                arena ->
                        (boolean)
                                Calls.RM.invokeExact(
                                        CaptureState.segment(),
                                        handle,
                                        transaction,
                                        arena.allocateFrom(path)));
    }

    /** The names of a node's children. */
    public List<String> directory(int transaction, String path) {
        return call(
                "xs_directory",
                path,
                arena -> {
                    MemorySegment count = arena.allocate(JAVA_INT);
                    MemorySegment names =
                            (MemorySegment)
                                    Calls.DIRECTORY.invokeExact(
                                            CaptureState.segment(),
                                            handle,
                                            transaction,
                                            arena.allocateFrom(path),
                                            count);
                    return names.address() == 0 ? null : takeStrings(names, count.get(JAVA_INT, 0));
                });
    }

    /** A node's permission list, the owner first. */
    public List<Permission> permissions(int transaction, String path) {
        return call(
                "xs_get_permissions",
                path,
                arena -> {
                    MemorySegment count = arena.allocate(JAVA_INT);
                    MemorySegment list =
                            (MemorySegment)
                                    Calls.GET_PERMISSIONS.invokeExact(
                                            CaptureState.segment(),
                                            handle,
                                            transaction,
                                            arena.allocateFrom(path),
                                            count);
                    if (list.address() == 0) {
                        return null;
                    }
                    int n = count.get(JAVA_INT, 0);
                    MemorySegment all = list.reinterpret(n * xs_permissions.sizeof());
                    List<Permission> permissions = new ArrayList<>(n);
                    for (int i = 0; i < n; i++) {
                        MemorySegment one = xs_permissions.asSlice(all, i);
                        permissions.add(
                                new Permission(xs_permissions.id(one), xs_permissions.perms(one)));
                    }
                    LibC.free(list);
                    return permissions;
                });
    }

    /** Replaces a node's permission list; the first entry names the owner. */
    public void setPermissions(int transaction, String path, List<Permission> permissions) {
        check(
                "xs_set_permissions",
                path,
                arena -> {
                    int n = permissions.size();
                    MemorySegment all = xs_permissions.allocateArray(n, arena);
                    for (int i = 0; i < n; i++) {
                        MemorySegment one = xs_permissions.asSlice(all, i);
                        xs_permissions.id(one, permissions.get(i).domid());
                        xs_permissions.perms(one, permissions.get(i).bits());
                    }
                    return (boolean)
                            Calls.SET_PERMISSIONS.invokeExact(
                                    CaptureState.segment(),
                                    handle,
                                    transaction,
                                    arena.allocateFrom(path),
                                    all,
                                    n);
                });
    }

    /** Starts a transaction: its number, never 0. */
    public int transactionStart() {
        return call(
                "xs_transaction_start",
                "",
                _ -> {
                    int id =
                            (int)
                                    Calls.TRANSACTION_START.invokeExact(
                                            CaptureState.segment(), handle);
                    return id == 0 ? null : id;
                });
    }

    /**
     * Ends a transaction.
     *
     * @param abort throw its changes away instead of applying them
     * @throws NativeException {@code EAGAIN} if somebody else changed what it read: do it again
     */
    public void transactionEnd(int transaction, boolean abort) {
        check(
                "xs_transaction_end",
                "transaction " + Integer.toUnsignedString(transaction),
                _ ->
                        (boolean)
                                Calls.TRANSACTION_END.invokeExact(
                                        CaptureState.segment(), handle, transaction, abort));
    }

    /** Asks to be told when a node or anything under it changes; fires once at once. */
    public void watch(String path, String token) {
        check(
                "xs_watch",
                path,
                arena ->
                        (boolean)
                                Calls.WATCH.invokeExact(
                                        CaptureState.segment(),
                                        handle,
                                        arena.allocateFrom(path),
                                        arena.allocateFrom(token)));
    }

    /** Takes a watch back. */
    public void unwatch(String path, String token) {
        check(
                "xs_unwatch",
                path,
                arena ->
                        (boolean)
                                Calls.UNWATCH.invokeExact(
                                        CaptureState.segment(),
                                        handle,
                                        arena.allocateFrom(path),
                                        arena.allocateFrom(token)));
    }

    /** The next watch event that has arrived; null if there is none now. Never waits. */
    public WatchEvent checkWatch() {
        lock.readLock().lock();
        try {
            MemorySegment event =
                    (MemorySegment)
                            Calls.CHECK_WATCH.invokeExact(CaptureState.segment(), checkedHandle());
            if (event.address() == 0) {
                int errno = CaptureState.errno();
                if (errno == LibC.EAGAIN()) {
                    return null;
                }
                throw new NativeException("xs_check_watch()", errno);
            }
            List<String> strings = takeStrings(event, 2);
            return new WatchEvent(
                    strings.get(LibXenstore.XS_WATCH_PATH()),
                    strings.get(LibXenstore.XS_WATCH_TOKEN()));
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * A descriptor that is readable while watch events wait; the library owns it. Known from the
     * first call on.
     */
    public int watchDescriptor() {
        lock.readLock().lock();
        try {
            return LibXenstore.xs_fileno(checkedHandle());
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The path under which a domain keeps its nodes. */
    public String domainPath(int domid) {
        return call(
                "xs_get_domain_path",
                "domain " + domid,
                _ -> {
                    MemorySegment path =
                            (MemorySegment)
                                    Calls.GET_DOMAIN_PATH.invokeExact(
                                            CaptureState.segment(), handle, domid);
                    if (path.address() == 0) {
                        return null;
                    }
                    String copy = path.reinterpret(Long.MAX_VALUE).getString(0);
                    LibC.free(path);
                    return copy;
                });
    }

    /** Whether xenstored serves a domain. */
    public boolean isDomainIntroduced(int domid) {
        return call(
                "xs_is_domain_introduced",
                "domain " + domid,
                _ ->
                        (boolean)
                                Calls.IS_DOMAIN_INTRODUCED.invokeExact(
                                        CaptureState.segment(), handle, domid));
    }

    /** Disconnects, after the calls in progress; a second call does nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                LibXenstore.xs_close(handle);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private MemorySegment checkedHandle() {
        if (closed) {
            throw new NativeException(
                    "use of libxenstore's connection", LibC.EBADF(), "it was closed before");
        }
        return handle;
    }

    /** A call of the library; a null result is its failure. */
    @FunctionalInterface
    private interface Call<T> {
        T invoke(Arena arena) throws Throwable;
    }

    private <T> T call(String name, String subject, Call<T> body) {
        lock.readLock().lock();
        try (Arena arena = Arena.ofConfined()) {
            checkedHandle();
            T result = body.invoke(arena);
            if (result == null) {
                throw new NativeException(name + "(" + subject + ")", CaptureState.errno());
            }
            return result;
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        } finally {
            lock.readLock().unlock();
        }
    }

    private void check(String name, String subject, Call<Boolean> body) {
        call(name, subject, arena -> body.invoke(arena) ? Boolean.TRUE : null);
    }

    /** Copies an array of strings that the library allocated as one block, and frees it. */
    private static List<String> takeStrings(MemorySegment array, int count) {
        MemorySegment pointers = array.reinterpret(count * ADDRESS.byteSize());
        List<String> strings = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            strings.add(pointers.getAtIndex(ADDRESS, i).reinterpret(Long.MAX_VALUE).getString(0));
        }
        LibC.free(array);
        return strings;
    }

    /**
     * The linked calls, apart from the class that explains an absent library: linking needs it
     * loaded.
     */
    private static final class Calls {
        static final MethodHandle OPEN =
                CaptureState.link(LibXenstore.xs_open$address(), LibXenstore.xs_open$descriptor());
        static final MethodHandle READ =
                CaptureState.link(LibXenstore.xs_read$address(), LibXenstore.xs_read$descriptor());
        static final MethodHandle WRITE =
                CaptureState.link(
                        LibXenstore.xs_write$address(), LibXenstore.xs_write$descriptor());
        static final MethodHandle MKDIR =
                CaptureState.link(
                        LibXenstore.xs_mkdir$address(), LibXenstore.xs_mkdir$descriptor());
        static final MethodHandle RM =
                CaptureState.link(LibXenstore.xs_rm$address(), LibXenstore.xs_rm$descriptor());
        static final MethodHandle DIRECTORY =
                CaptureState.link(
                        LibXenstore.xs_directory$address(), LibXenstore.xs_directory$descriptor());
        static final MethodHandle GET_PERMISSIONS =
                CaptureState.link(
                        LibXenstore.xs_get_permissions$address(),
                        LibXenstore.xs_get_permissions$descriptor());
        static final MethodHandle SET_PERMISSIONS =
                CaptureState.link(
                        LibXenstore.xs_set_permissions$address(),
                        LibXenstore.xs_set_permissions$descriptor());
        static final MethodHandle TRANSACTION_START =
                CaptureState.link(
                        LibXenstore.xs_transaction_start$address(),
                        LibXenstore.xs_transaction_start$descriptor());
        static final MethodHandle TRANSACTION_END =
                CaptureState.link(
                        LibXenstore.xs_transaction_end$address(),
                        LibXenstore.xs_transaction_end$descriptor());
        static final MethodHandle WATCH =
                CaptureState.link(
                        LibXenstore.xs_watch$address(), LibXenstore.xs_watch$descriptor());
        static final MethodHandle UNWATCH =
                CaptureState.link(
                        LibXenstore.xs_unwatch$address(), LibXenstore.xs_unwatch$descriptor());
        static final MethodHandle CHECK_WATCH =
                CaptureState.link(
                        LibXenstore.xs_check_watch$address(),
                        LibXenstore.xs_check_watch$descriptor());
        static final MethodHandle GET_DOMAIN_PATH =
                CaptureState.link(
                        LibXenstore.xs_get_domain_path$address(),
                        LibXenstore.xs_get_domain_path$descriptor());
        static final MethodHandle IS_DOMAIN_INTRODUCED =
                CaptureState.link(
                        LibXenstore.xs_is_domain_introduced$address(),
                        LibXenstore.xs_is_domain_introduced$descriptor());
    }
}
