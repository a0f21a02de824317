package io.grantwire.pmd.domain;

import io.grantwire.bindings.Process;
import io.grantwire.gntalloc.emulated.DomainHooks;
import io.grantwire.gntalloc.emulated.Hypervisor;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import io.grantwire.xenstore.Xenstores;
import io.grantwire.xenstore.server.DomainSkeleton;
import io.grantwire.xenstore.server.ServerOptions;
import io.grantwire.xenstore.server.XenstoreServer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A host without Xen: an embedded xenstore and an emulated hypervisor that separate processes
 * share, one process per guest domain. All of it is in one directory:
 *
 * <pre>
 * host.lock                held while the host runs
 * host.pid                 its process
 * hypervisor.sock          grants and event channels
 * xenstored.sock           the store, with domain 0's rights
 * dom7/xenstored.sock      the store, with those of domain 7
 * </pre>
 *
 * <p>A process that claims a guest domain finds the domain made: a first claim writes its skeleton
 * of keys. When the process ends, the keys stay and the next process of that domain finds them, as
 * on Xen, where a guest outlives its programs. When the host ends, everything is gone.
 *
 * <p>Thread-safe.
 */
public final class EmulatedHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmulatedHost.class);

    /** Directories whose lock this process has. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final HostDirectory directory;
    private final boolean madeDirectory;
    private final FileChannel lock;
    private XenstoreServer server;
    private Xenstore dom0;
    private Hypervisor hypervisor;
    private boolean closed;

    /** Guests that a process holds now, with its process id. */
    private final Map<Integer, Integer> live = new ConcurrentHashMap<>();

    /** Guests there are, held or not. Its lock guards the store's two states as well. */
    private final TreeSet<Integer> guests = new TreeSet<>();

    private boolean storeStopped;

    /** Guests destroyed while the store was stopped, whose own keys domain 0 has to remove. */
    private final Set<Integer> destroyed = new HashSet<>();

    private EmulatedHost(HostDirectory directory, boolean madeDirectory, FileChannel lock) {
        this.directory = directory;
        this.madeDirectory = madeDirectory;
        this.lock = lock;
    }

    /**
     * {@code $XDG_RUNTIME_DIR/grantwire}, or {@code /dev/shm/grantwire-<uid>} where that variable
     * is not set.
     */
    public static Path defaultDir() {
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        return runtime != null && !runtime.isEmpty() && Path.of(runtime).isAbsolute()
                ? Path.of(runtime, "grantwire")
                : Path.of("/dev/shm/grantwire-" + Process.uid());
    }

    /**
     * Starts a host in a directory, which is made if it is not there. What a dead host left in it
     * is removed.
     *
     * @throws DomainException when a host runs there already (it names its process), when the
     *     directory is not ours alone, or its path is too long
     */
    public static EmulatedHost start(Path dir) {
        HostDirectory directory = HostDirectory.of(dir);
        boolean made = directory.prepare();
        FileChannel lock = lock(directory);
        EmulatedHost host = new EmulatedHost(directory, made, lock);
        try {
            host.open();
            return host;
        } catch (RuntimeException e) {
            host.close();
            throw e instanceof DomainException
                    ? e
                    : new DomainException("emulated host in " + dir + ": " + e.getMessage(), e);
        }
    }

    /**
     * Takes the directory's lock. Only hosts open this file, and none whose process has the lock:
     * closing any descriptor of a file gives up all locks that the process has on it, as POSIX has
     * it.
     */
    private static FileChannel lock(HostDirectory directory) {
        if (HELD.add(directory.path())) {
            try {
                FileChannel channel =
                        FileChannel.open(
                                directory.lockFile(),
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE);
                if (channel.tryLock() != null) {
                    return channel;
                }
                channel.close();
                HELD.remove(directory.path());
            } catch (IOException e) {
                HELD.remove(directory.path());
                throw new DomainException("directory " + directory + ": " + e.getMessage(), e);
            }
        }
        throw new DomainException(
                "directory "
                        + directory
                        + " is busy: an emulated host runs there"
                        + owner(directory)
                        + "; stop it, or choose another directory with --dir");
    }

    private static String owner(HostDirectory directory) {
        try {
            return ", process " + Files.readString(directory.pidFile()).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private void open() {
        directory.clean();
        server = XenstoreServer.start(ServerOptions.at(directory.xenstoreSocket(0)));
        dom0 = Xenstores.socket(directory.xenstoreSocket(0));
        DomainSkeleton.create(dom0, 0, "Domain-0");
        try {
            Files.writeString(directory.pidFile(), Process.pid() + "\n");
        } catch (IOException e) {
            throw new DomainException("directory " + directory + ": " + e.getMessage(), e);
        }
        // Last: processes that find its socket find everything else.
        hypervisor = Hypervisor.start(directory.hypervisorSocket(), new Guests());
        LOG.debug("emulated host in {}", directory);
    }

    /** Called on the hypervisor's thread. */
    private final class Guests implements DomainHooks {
        @Override
        public void onDomainCreated(int domid, String name, int pid) {
            admit(domid, name);
            live.put(domid, pid);
            LOG.debug("process {} is domain {}", pid, domid);
        }

        @Override
        public void onProcessGone(int domid) {
            live.remove(domid);
            LOG.debug("domain {} has no process any more", domid);
        }
    }

    private void admit(int domid, String name) {
        synchronized (guests) {
            if (guests.contains(domid)) {
                return;
            }
            if (storeStopped) {
                // Called by the hypervisor's only thread, which cannot wait for it.
                throw new DomainException(
                        "the host's store is stopped, and a new domain needs keys in it; try again"
                                + " when it is back");
            }
            directory.prepareDomain(domid);
            DomainSkeleton.create(dom0, domid, printable(domid, name));
            server.introduce(domid, directory.xenstoreSocket(domid));
            guests.add(domid);
        }
    }

    /** The store takes bytes, not all of Unicode. */
    private static String printable(int domid, String name) {
        return name.isEmpty() ? "guest" + domid : name.replaceAll("[^ -~]", "?");
    }

    /**
     * Destroys a guest domain that no process holds, as {@code xl destroy} does: its keys go, and
     * {@code @releaseDomain} fires.
     *
     * @throws DomainException when a process still is that domain, or there is none of that id
     */
    public void destroyDomain(int domid) {
        synchronized (guests) {
            Integer pid = live.get(domid);
            if (pid != null) {
                throw new DomainException(
                        "domain " + domid + " is in use by process " + pid + "; end that first");
            }
            if (!guests.remove(domid)) {
                throw new DomainException("there is no domain " + domid + " in " + directory);
            }
            if (storeStopped) {
                destroyed.add(domid);
            } else {
                DomainSkeleton.remove(dom0, domid);
            }
            server.release(domid);
            directory.removeDomain(domid);
        }
    }

    /**
     * Stops the store, as when xenstored ends: all connections are lost and nobody can open one.
     * Grants and event channels go on, guests that are there stay, and the contents wait for {@link
     * #startStore}. A second call does nothing.
     */
    public void stopStore() {
        synchronized (guests) {
            storeStopped = true;
            dom0.close();
            server.suspend();
        }
    }

    /**
     * Starts the store again with the contents it had, less those of guests that were destroyed
     * meanwhile. Does nothing when it was not stopped.
     *
     * @throws XenstoreException when it cannot have its sockets; it can be tried again
     */
    public void startStore() {
        synchronized (guests) {
            if (!storeStopped) {
                return;
            }
            server.resume();
            dom0 = Xenstores.socket(directory.xenstoreSocket(0));
            storeStopped = false;
            destroyed.forEach(domid -> DomainSkeleton.remove(dom0, domid));
            destroyed.clear();
        }
    }

    /** The directory it runs in. */
    public Path dir() {
        return directory.path();
    }

    /** Where domain 0's tools reach the store, for {@code XENSTORED_PATH}. */
    public Path xenstoreSocket() {
        return directory.xenstoreSocket(0);
    }

    /**
     * Stops the host: every process loses its domain, and all sockets and files go, the directory
     * too when this host made it. A second call does nothing.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (hypervisor != null) {
            hypervisor.close();
        }
        if (dom0 != null) {
            dom0.close();
        }
        if (server != null) {
            server.close();
        }
        directory.clean();
        HostDirectory.delete(directory.lockFile());
        try {
            lock.close();
        } catch (IOException e) {
            LOG.debug("closing the lock of {}: {}", directory, e.toString());
        }
        HELD.remove(directory.path());
        if (madeDirectory) {
            HostDirectory.delete(directory.path());
        }
    }
}
