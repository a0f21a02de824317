package io.grantwire.xenstore;

import io.grantwire.bindings.LibXenstoreLibrary;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.XsHandle;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Opens connections to a xenstore.
 *
 * <p>A connection that cannot be opened is a {@link XenstoreException} of the operation {@code
 * open}, which says what was tried and what to do.
 */
public final class Xenstores {
    /** The kernel's way to the store, in every domain. */
    public static final Path DEVICE = Path.of("/dev/xen/xenbus");

    /** How long a store may take to reply, unless said otherwise. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

    /** S_IFMT and S_IFSOCK of stat(2). */
    private static final int FILE_TYPE = 0xf000;

    private static final int SOCKET_TYPE = 0xc000;

    private static final String PATH_VARIABLE = "XENSTORED_PATH";
    private static final String DIRECTORY_VARIABLE = "XENSTORED_RUNDIR";

    /** How to reach the store. */
    public enum Transport {
        /** Whatever this host offers: see {@link #host}. */
        HOST,
        /** The wire protocol over xenstored's unix socket. */
        SOCKET,
        /** The wire protocol over the kernel's xenbus device. */
        DEVICE,
        /** The Xen tools' own library. */
        LIBRARY
    }

    /**
     * What to open.
     *
     * @param transport how to reach the store
     * @param path the socket or the device; null where the transport finds it itself
     * @param timeout how long a reply may take before the connection is given up; the library knows
     *     no such limit
     */
    public record Options(Transport transport, Path path, Duration timeout) {
        /** Checks that the parts fit each other. */
        public Options {
            Objects.requireNonNull(transport, "transport");
            if (path == null && transport == Transport.SOCKET) {
                throw new IllegalArgumentException("a socket transport needs the socket's path");
            }
            if (path != null && (transport == Transport.HOST || transport == Transport.LIBRARY)) {
                throw new IllegalArgumentException(
                        "the transport "
                                + transport
                                + " finds the store itself; it takes no path, but honours "
                                + PATH_VARIABLE);
            }
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("the timeout is not positive: " + timeout);
            }
        }

        /** Whatever this host offers. */
        public static Options host() {
            return new Options(Transport.HOST, null, DEFAULT_TIMEOUT);
        }

        /** A unix socket. */
        public static Options socket(Path socket) {
            return new Options(Transport.SOCKET, socket, DEFAULT_TIMEOUT);
        }

        /** The same with another time limit for replies. */
        public Options withTimeout(Duration limit) {
            return new Options(transport, path, limit);
        }
    }

    private Xenstores() {}

    /**
     * Opens a connection.
     *
     * @throws XenstoreException when it cannot be opened
     */
    public static Xenstore open(Options options) {
        return new XsClient(way(options).connection());
    }

    /**
     * Opens a connection that comes back by itself when it is lost, for instance because xenstored
     * is started anew with its contents. Meanwhile calls wait for {@code policy.patience()} and
     * fail with ECONNRESET then.
     *
     * <p>A call that the loss hits is made again when it only reads, else it fails with ECONNRESET
     * unless it is certain that the store never saw it. A transaction runs again; only a commit
     * that the loss hits fails with ECONNRESET, since nobody knows whether it was done. Watches
     * stay, and each has an event when the connection is back, as it has at its beginning. The loss
     * and the return are a line of the log each, of the logger {@code XENSTORE}.
     *
     * <p>It comes back by the way it was opened: what {@link Transport#HOST} has found is not
     * looked for again.
     *
     * @param before called before each attempt; what it throws makes the attempt fail. For a host
     *     that may have been replaced by another one at the same place
     * @throws XenstoreException when it cannot be opened the first time
     */
    public static Xenstore reconnecting(Options options, Reconnection policy, Runnable before) {
        Way way = way(options);
        return new XsClient(
                new ReconnectingConnection(
                        way.connection(),
                        () -> {
                            before.run();
                            return way.again().get();
                        },
                        policy));
    }

    /**
     * The same without conditions.
     *
     * @throws XenstoreException when it cannot be opened the first time
     */
    public static Xenstore reconnecting(Options options, Reconnection policy) {
        return reconnecting(options, policy, () -> {});
    }

    /**
     * The store behind a unix socket: xenstored's own, or an emulated host's.
     *
     * @throws XenstoreException when nothing listens there
     */
    public static Xenstore socket(Path socket) {
        return open(Options.socket(socket));
    }

    /**
     * The store behind the kernel's xenbus device.
     *
     * @param device {@link #DEVICE}, or another node of the same driver
     * @throws XenstoreException when it cannot be opened
     */
    public static Xenstore device(Path device) {
        return open(new Options(Transport.DEVICE, device, DEFAULT_TIMEOUT));
    }

    /**
     * The store that libxenstore finds: {@code XENSTORED_PATH} of the environment, else xenstored's
     * socket, else the kernel's device.
     *
     * @throws XenstoreException when there is no library or no store
     */
    public static Xenstore library() {
        return open(new Options(Transport.LIBRARY, null, DEFAULT_TIMEOUT));
    }

    /**
     * The store of the host this process runs on: through libxenstore if it can be loaded, else
     * xenstored's socket, else the kernel's device. {@code XENSTORED_PATH} of the environment is
     * honoured in each case.
     *
     * @throws XenstoreException when there is none; it says for each way why not
     */
    public static Xenstore host() {
        return open(Options.host());
    }

    /** Why libxenstore cannot be used on this machine; empty if it can. */
    public static Optional<String> libraryUnavailable() {
        return LibXenstoreLibrary.unavailable();
    }

    /** Why this host offers no store, one line; empty if it seems to. Opens nothing. */
    public static Optional<String> hostUnavailable() {
        List<Path> candidates = candidates();
        for (Path candidate : candidates) {
            if (Files.exists(candidate)) {
                return Optional.empty();
            }
        }
        return Optional.of(
                "none of "
                        + String.join(", ", candidates.stream().map(Path::toString).toList())
                        + " exists: this is no Xen domain, or xenstored does not run");
    }

    /** A connection, not started, and how to get another one of the same kind. */
    private record Way(XsConnection connection, Supplier<XsConnection> again) {
        static Way by(Supplier<XsConnection> opener) {
            return new Way(opener.get(), opener);
        }
    }

    private static Way way(Options options) {
        Duration timeout = options.timeout();
        return switch (options.transport()) {
            case SOCKET -> Way.by(() -> openSocket(options.path(), timeout));
            case DEVICE -> {
                Path device = options.path() == null ? DEVICE : options.path();
                yield Way.by(() -> openDevice(device, timeout));
            }
            case LIBRARY -> libraryAndBack();
            case HOST -> hostWay(timeout);
        };
    }

    private static XsConnection openSocket(Path socket, Duration timeout) {
        try {
            return new WireConnection(PolledStream.socket(socket), timeout);
        } catch (NativeException e) {
            throw cannotReach(socket, e);
        }
    }

    private static XenstoreException cannotReach(Path socket, NativeException e) {
        return cannotOpen(
                socket,
                e,
                e.errno() == LibC.ENOENT() || e.errno() == LibC.ECONNREFUSED()
                        ? "no store listens there; start xenstored or the emulated host first"
                        : e.hint());
    }

    private static XsConnection openDevice(Path device, Duration timeout) {
        try {
            return new WireConnection(PolledStream.device(device), timeout);
        } catch (NativeException e) {
            throw cannotOpen(
                    device,
                    e,
                    e.errno() == LibC.ENOENT()
                            ? "this is no Xen domain, or its kernel lacks the xenbus device; try:"
                                    + " modprobe xenfs"
                            : e.hint());
        }
    }

    /**
     * The library takes the kernel's device when nothing listens at xenstored's socket. Once it has
     * had the socket it is to have that again, so the socket has to be there before it looks.
     */
    private static Way libraryAndBack() {
        XsConnection connection = openLibrary();
        Path way = libraryWay();
        if (!isSocket(way)) {
            return new Way(connection, Xenstores::openLibrary);
        }
        return new Way(
                connection,
                () -> {
                    try {
                        UnixSocket.connect(way, UnixSocket.Type.STREAM).close();
                    } catch (NativeException e) {
                        throw cannotReach(way, e);
                    }
                    return openLibrary();
                });
    }

    private static XsConnection openLibrary() {
        try {
            XsHandle handle = XsHandle.open();
            Path way = libraryWay();
            // The library hands requests on as they are, so what is behind it sets the limit.
            int payloadMax = isSocket(way) ? XsWire.PAYLOAD_MAX : PolledStream.DEVICE_PAYLOAD_MAX;
            return new LibraryConnection(handle, "libxenstore on " + way, payloadMax);
        } catch (NativeException e) {
            throw cannotOpen(libraryWay(), e, e.hint());
        }
    }

    private static Way hostWay(Duration timeout) {
        List<String> reasons = new ArrayList<>();
        XenstoreException first = null;
        if (libraryUnavailable().isEmpty()) {
            try {
                return libraryAndBack();
            } catch (XenstoreException e) {
                reasons.add("libxenstore: " + e.errnoName());
                first = e;
            }
        } else {
            reasons.add(libraryUnavailable().get());
        }
        for (Path candidate : candidates()) {
            try {
                return isSocket(candidate)
                        ? Way.by(() -> openSocket(candidate, timeout))
                        : Way.by(() -> openDevice(candidate, timeout));
            } catch (XenstoreException e) {
                reasons.add(candidate + ": " + e.errnoName());
                // What exists but cannot be opened tells more than what is not there.
                if (first == null || e.errno() != LibC.ENOENT()) {
                    first = e;
                }
            }
        }
        throw new XenstoreException(
                "open",
                "",
                first.errno(),
                "tried "
                        + String.join("; ", reasons)
                        + "; in a Xen domain start xenstored or: modprobe xenfs; elsewhere name an"
                        + " emulated host's socket with "
                        + PATH_VARIABLE);
    }

    private static XenstoreException cannotOpen(Path path, NativeException e, String hint) {
        XenstoreException failure = new XenstoreException("open", path.toString(), e.errno(), hint);
        failure.initCause(e);
        return failure;
    }

    /** Where a store may be, in the order in which the Xen tools look. */
    private static List<Path> candidates() {
        String path = System.getenv(PATH_VARIABLE);
        if (path != null && !path.isEmpty()) {
            return List.of(Path.of(path));
        }
        String directory = System.getenv(DIRECTORY_VARIABLE);
        if (directory != null && !directory.isEmpty()) {
            return List.of(Path.of(directory, "socket"), DEVICE);
        }
        return List.of(
                Path.of("/run/xenstored/socket"), Path.of("/var/run/xenstored/socket"), DEVICE);
    }

    /** What libxenstore has connected to, as far as can be told from outside. */
    private static Path libraryWay() {
        List<Path> candidates = candidates();
        for (Path candidate : candidates) {
            if (Files.exists(candidate)) {
                return candidate;
            }
        }
        return candidates.getLast();
    }

    /** Whether it is there and a socket. */
    private static boolean isSocket(Path path) {
        try {
            int mode = (int) Files.getAttribute(path, "unix:mode");
            return (mode & FILE_TYPE) == SOCKET_TYPE;
        } catch (IOException e) {
            return false;
        }
    }
}
