package io.grantwire.xenstore;

import io.grantwire.bindings.LibXenstoreLibrary;
import io.grantwire.bindings.NativeException;
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
        return switch (options.transport()) {
            case SOCKET -> openSocket(options.path(), options.timeout());
            case DEVICE ->
                    openDevice(options.path() == null ? DEVICE : options.path(), options.timeout());
            case LIBRARY -> openLibrary();
            case HOST -> openHost(options.timeout());
        };
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

    private static Xenstore openSocket(Path socket, Duration timeout) {
        try {
            return new XsClient(new WireConnection(PolledStream.socket(socket), timeout));
        } catch (NativeException e) {
            throw cannotOpen(
                    socket,
                    e,
                    e.errno() == LibC.ENOENT() || e.errno() == LibC.ECONNREFUSED()
                            ? "no store listens there; start xenstored or the emulated host first"
                            : e.hint());
        }
    }

    private static Xenstore openDevice(Path device, Duration timeout) {
        try {
            return new XsClient(new WireConnection(PolledStream.device(device), timeout));
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

    private static Xenstore openLibrary() {
        try {
            XsHandle handle = XsHandle.open();
            Path way = libraryWay();
            // The library hands requests on as they are, so what is behind it sets the limit.
            int payloadMax = isSocket(way) ? XsWire.PAYLOAD_MAX : PolledStream.DEVICE_PAYLOAD_MAX;
            return new XsClient(new LibraryConnection(handle, "libxenstore on " + way, payloadMax));
        } catch (NativeException e) {
            throw cannotOpen(libraryWay(), e, e.hint());
        }
    }

    private static Xenstore openHost(Duration timeout) {
        List<String> reasons = new ArrayList<>();
        XenstoreException first = null;
        if (libraryUnavailable().isEmpty()) {
            try {
                return openLibrary();
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
                        ? openSocket(candidate, timeout)
                        : openDevice(candidate, timeout);
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
