package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.bindings.Errno;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Map;
import java.util.WeakHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the xenvirt devices and pools of one process in one guest have in common: the directory of
 * keys, the numbers of pools and devices, and which memory is granted.
 *
 * <p>Thread-safe; nothing here belongs on the packet path except {@link #covers}.
 */
final class XenvirtContext {
    private static final Logger LOG = LoggerFactory.getLogger("PMD");

    // A context does not refer to its domain, so that an entry goes when the domain does.
    private static final Map<Domain, XenvirtContext> BY_DOMAIN = new WeakHashMap<>();

    private static final VarHandle GRANTED;

    static {
        try {
            GRANTED =
                    MethodHandles.lookup()
                            .findVarHandle(XenvirtContext.class, "granted", long[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int domid;
    private final BitSet devices = new BitSet();
    private final BitSet pools = new BitSet();
    private boolean prepared;

    /** The directory of our keys; everybody who uses it has been through {@link #prepare}. */
    private String base;

    /**
     * Start and end of each granted pool, alternating; replaced as a whole. Published with release
     * and read with acquire, since the packet path looks at it when it meets another pool.
     */
    private long[] granted = {};

    private XenvirtContext(int domid) {
        this.domid = domid;
    }

    /**
     * The context of a domain, ready: keys that an earlier process of this guest left behind are
     * removed when the first device or pool comes, once in the life of this process.
     *
     * @throws EthDeviceException when the guest may not write its keys or cannot grant memory; the
     *     message says what to type
     */
    static XenvirtContext of(Domain domain) {
        XenvirtContext context;
        synchronized (BY_DOMAIN) {
            context = BY_DOMAIN.computeIfAbsent(domain, d -> new XenvirtContext(d.domid()));
        }
        context.prepare(domain);
        return context;
    }

    private synchronized void prepare(Domain domain) {
        if (prepared) {
            return;
        }
        if (domid == 0) {
            throw new EthDeviceException(
                    "xenvirt: this is domain 0; a front end runs in a guest, with a domain id of 1"
                            + " or more");
        }
        LOG.info("retrieved dom ID = {}", domid);
        base = claimBase(domain.xenstore());
        // Fails here, and not in the middle of a set-up, when memory cannot be granted.
        LOG.debug("grants through {}", domain.sharer().description());
        prepared = true;
    }

    /**
     * Takes the original's directory, or where the toolstack keeps that from guests, the one below
     * {@code data}, which belongs to the guest in any case.
     */
    private String claimBase(Xenstore store) {
        String usual = XenvirtKeys.base(domid);
        String alternative = XenvirtKeys.alternativeBase(domid);
        try {
            take(store, usual);
        } catch (XenstoreException e) {
            if (e.errno() != Errno.numberOf("EACCES")) {
                throw failure("clear " + usual, e);
            }
            try {
                take(store, alternative);
            } catch (XenstoreException second) {
                LOG.debug("{}: {}", alternative, second.getMessage());
                throw failure("clear " + usual, e);
            }
            LOG.warn(
                    "{}: EACCES; the keys go to {} instead, where only Grantwire's switch looks; for"
                            + " another back end, in domain 0 type: {}",
                    usual,
                    alternative,
                    mend());
            return alternative;
        }
        try {
            empty(store, alternative);
        } catch (XenstoreException e) {
            LOG.debug("{} stays as it is: {}", alternative, e.getMessage());
        }
        return usual;
    }

    /**
     * Removes what an earlier process left in a directory. The original removes the directory
     * itself. Its contents are enough, and a directory that domain 0 prepared for us may be one
     * that we cannot make again.
     */
    private static void take(Xenstore store, String directory) {
        empty(store, directory);
        // Makes it when it is not there, and shows whether we may write to it.
        store.write(directory, "");
    }

    /** Start keys go first, so that no back end takes a device whose other keys are gone. */
    private static void empty(Xenstore store, String directory) {
        if (store.exists(directory)) {
            store.directory(directory).stream()
                    .sorted(Comparator.comparing(key -> !key.startsWith(XenvirtKeys.START_PREFIX)))
                    .forEach(key -> store.rm(directory + "/" + key));
        }
    }

    /** Writes a key of this guest. */
    void write(Domain domain, String key, String value) {
        String path = base + "/" + key;
        try {
            domain.xenstore().write(path, value);
        } catch (XenstoreException e) {
            throw failure("write " + path, e);
        }
    }

    /**
     * Removes keys of this guest, in the order given; what fails is logged. A store that is away is
     * not waited for: a back end sees at the flag that the device is gone, and the next process of
     * this guest removes the keys.
     */
    void remove(Domain domain, String... keys) {
        for (String key : keys) {
            try {
                if (!domain.xenstore().connected()) {
                    LOG.debug("{}/{} stays: the store is away", base, key);
                    continue;
                }
                domain.xenstore().rm(base + "/" + key);
            } catch (RuntimeException e) {
                LOG.debug("{}/{} stays: {}", base, key, e.getMessage());
            }
        }
    }

    private EthDeviceException failure(String what, XenstoreException e) {
        String message = "xenvirt: " + what + ": " + e.errnoName();
        if (e.errno() == Errno.numberOf("EACCES")) {
            message +=
                    "; this host's toolstack keeps "
                            + XenvirtKeys.DIRECTORY
                            + " from guests: in domain 0 type: "
                            + mend();
        } else {
            message += " (" + e.getMessage() + ")";
        }
        return new EthDeviceException(message, e);
    }

    /** What domain 0 types so that this guest may write its keys. */
    private String mend() {
        String usual = XenvirtKeys.base(domid);
        return "grantwire xenstore prepare --domid "
                + domid
                + " (or: xenstore-write "
                + usual
                + " '' && xenstore-chmod "
                + usual
                + " n"
                + domid
                + ")";
    }

    /** Takes the lowest free device number. */
    synchronized int claimDevice() {
        return claim(devices, XenvirtKeys.MAX_DEVICES, "devices");
    }

    synchronized void releaseDevice(int device) {
        devices.clear(device);
    }

    /** Takes the lowest free pool number. */
    synchronized int claimPool() {
        return claim(pools, XenvirtKeys.MAX_POOLS, "mempools");
    }

    synchronized void releasePool(int pool) {
        pools.clear(pool);
    }

    private int claim(BitSet taken, int max, String what) {
        int number = taken.nextClearBit(0);
        if (number >= max) {
            throw new EthDeviceException(
                    "xenvirt: this guest has " + max + " " + what + " already, which is the most");
        }
        taken.set(number);
        return number;
    }

    /** The back end can now reach this memory. */
    synchronized void addGranted(long va, long bytes) {
        long[] more = Arrays.copyOf(granted, granted.length + 2);
        more[more.length - 2] = va;
        more[more.length - 1] = va + bytes;
        GRANTED.setRelease(this, more);
    }

    synchronized void removeGranted(long va) {
        long[] old = granted;
        long[] fewer = new long[Math.max(old.length - 2, 0)];
        int n = 0;
        for (int i = 0; i < old.length; i += 2) {
            if (old[i] != va && n < fewer.length) {
                fewer[n++] = old[i];
                fewer[n++] = old[i + 1];
            }
        }
        GRANTED.setRelease(this, n == fewer.length ? fewer : old);
    }

    /** Whether the back end can reach all of a pool's memory. */
    boolean covers(MemorySegment segment) {
        long from = segment.address();
        long end = from + segment.byteSize();
        long[] ranges = (long[]) GRANTED.getAcquire(this);
        for (int i = 0; i < ranges.length; i += 2) {
            if (from >= ranges[i] && end <= ranges[i + 1]) {
                return true;
            }
        }
        return false;
    }
}
