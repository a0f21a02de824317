package io.grantwire.vswitch.monitor;

import io.grantwire.bindings.Errno;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.pmd.xenvirt.XenvirtKeys.StartKey;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import io.grantwire.xenstore.XenstoreWatch;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the store for guests' devices, maps them for a {@link PortHandler}, and sees to their
 * end: the flag byte cleared, the start key removed, the domain gone, or the device started anew.
 *
 * <p>One thread of its own, which does all the work. A guest that fills the store with nonsense
 * costs it log lines, bounded, and nobody else anything: devices are dealt with one by one, a bad
 * one takes nothing with it, and the flag bytes are looked at between any two.
 */
public final class GuestMonitor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("XENHOST");
    private static final String RELEASE = "@releaseDomain";
    private static final int EVENTS_PER_ROUND = 64;
    private static final int STARTS_PER_ROUND = 4;
    private static final long SCAN_NANOS_PER_ROUND = 2_000_000;

    /** How long devices that were there already are waited for after the latest one that came, */
    private static final long SETTLE_NANOS = 2_000_000_000;

    /** and all together: nobody is served meanwhile, and a guest must not hold up the others. */
    private static final long SETTLE_MOST_NANOS = 10_000_000_000L;

    private static final long STORE_LOOK_NANOS = 100_000_000;
    private static final Duration CLOSE_TIME = Duration.ofSeconds(30);

    /**
     * What a monitor may be told.
     *
     * @param flagPoll how often the flag bytes are looked at
     * @param maxPagesPerGuest most pages of a guest's pools together
     */
    public record Options(Duration flagPoll, int maxPagesPerGuest) {
        /** Once a millisecond; 512 MiB. */
        public static final Options DEFAULT = new Options(Duration.ofMillis(1), 131_072);
    }

    private record PortId(int domid, int index) {}

    private final Xenstore store;
    private final GrantMapper mapper;
    private final PortHandler handler;
    private final Options options;
    private final Thread thread;
    private final XenstoreWatch watch;
    private final XenstoreWatch releases;
    private volatile boolean stopping;

    // The thread's own.
    private final Map<PortId, GuestPort> ports = new LinkedHashMap<>();
    private final Map<PortId, GuestPort> leaving = new LinkedHashMap<>();
    private final Map<Integer, GuestPools> pools = new HashMap<>();
    private final Map<PortId, StartKey> starts = new LinkedHashMap<>();
    private final Set<Integer> scans = new LinkedHashSet<>();
    private final StartBudget startBudget = new StartBudget();
    private final LogBudget budget = new LogBudget();
    private boolean storeLost;
    private long nextStoreLook;
    private boolean scannedAll;
    private boolean settled;
    private long begun;
    private long latest;
    private int settling;

    /** Ports to be opened afresh, asked for by any thread. */
    private final Queue<GuestPort> reopens = new ConcurrentLinkedQueue<>();

    private GuestMonitor(Domain domain, String name, PortHandler handler, Options options) {
        this.store = domain.xenstore();
        this.mapper = domain.mapper();
        this.handler = handler;
        this.options = options;
        // The watch comes first, so that nothing falls between it and the scan it asks for.
        this.watch = store.watch(StorePaths.DOMAINS, name);
        XenstoreWatch second;
        try {
            second = store.watch(RELEASE, name);
        } catch (RuntimeException e) {
            watch.close();
            throw e;
        }
        this.releases = second;
        this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
    }

    /**
     * Starts a monitor; devices that are there already are found as well.
     *
     * @param domain the control domain
     * @param name of its thread and its watches
     * @throws XenstoreException when the store cannot be watched
     */
    public static GuestMonitor start(
            Domain domain, String name, PortHandler handler, Options options) {
        GuestMonitor monitor = new GuestMonitor(domain, name, handler, options);
        monitor.thread.start();
        return monitor;
    }

    private void run() {
        begun = System.nanoTime();
        latest = begun;
        try {
            while (!stopping) {
                round();
            }
        } finally {
            detachAll();
        }
    }

    private void round() {
        try {
            if (storeLost || !store.connected()) {
                // Without a call: it would wait for the connection, and the flags for it.
                loseStore("the connection to the store is lost");
                LockSupport.parkNanos(options.flagPoll().toNanos());
                findStore();
            } else {
                takeEvents();
                scanSome();
                reopenSome();
                startSome();
            }
        } catch (XenstoreException e) {
            if (storeAnswers()) {
                LOG.warn("{}", e.getMessage());
            } else {
                loseStore(e.getMessage());
            }
        } catch (RuntimeException e) {
            LOG.error("the monitor failed on an event", e);
        }
        try {
            if (!settled) {
                settle();
            }
            checkFlags();
            releaseSome();
            handler.tick();
        } catch (RuntimeException e) {
            LOG.error("the monitor failed on a device", e);
        }
    }

    /** Tells when the devices that were there already are dealt with, or take too long. */
    private void settle() {
        long now = System.nanoTime();
        if (ports.size() > settling) {
            settling = ports.size();
            latest = now;
        }
        // Starts that wait for their guest's budget are not waited for.
        if (scannedAll
                        && scans.isEmpty()
                        && starts.keySet().stream()
                                .noneMatch(id -> startBudget.has(id.domid(), now))
                || now - latest > SETTLE_NANOS
                || now - begun > SETTLE_MOST_NANOS) {
            settled = true;
            handler.settled();
        }
    }

    private void loseStore(String why) {
        if (!storeLost) {
            storeLost = true;
            nextStoreLook = System.nanoTime();
            LOG.warn("{}: devices go on, new ones are seen when it is back", why);
        }
    }

    /**
     * Looks whether the store is back, and at everything in it then. The watches are there again
     * before the store can be asked, so nothing falls between them and this scan; devices whose
     * keys are what they were are left alone.
     */
    private void findStore() {
        long now = System.nanoTime();
        if (!store.connected() || now - nextStoreLook < 0) {
            return;
        }
        nextStoreLook = now + STORE_LOOK_NANOS;
        if (storeAnswers()) {
            scanAll();
            storeLost = false;
            LOG.info("the store is back: all guests are looked at again");
        }
    }

    /**
     * Whether the store can still be asked. What it refuses may be one guest's doing, for instance
     * a directory that never keeps still, and must not cost the other guests anything.
     */
    private boolean storeAnswers() {
        if (!store.connected()) {
            return false;
        }
        try {
            store.exists(StorePaths.DOMAINS);
            return true;
        } catch (XenstoreException e) {
            return false;
        }
    }

    // Events.

    private void takeEvents() {
        XenstoreWatch.Event event;
        try {
            event = watch.await(scans.isEmpty() ? options.flagPoll() : Duration.ZERO);
        } catch (InterruptedException e) {
            return;
        }
        for (int i = 0; event != null && i < EVENTS_PER_ROUND; i++) {
            changed(event.path());
            event = watch.poll();
        }
        if (event != null) {
            changed(event.path());
        }
        for (XenstoreWatch.Event gone = releases.poll(); gone != null; gone = releases.poll()) {
            // Which domain is not said. A destroyed domain's keys go with it.
            scans.addAll(pools.keySet());
        }
    }

    private void changed(String path) {
        StartKey key = XenvirtKeys.startKey(path).orElse(null);
        if (key != null) {
            if (handler.accepts(key.domid())) {
                starts.put(new PortId(key.domid(), key.device()), key);
            }
        } else if (path.equals(StorePaths.DOMAINS)) {
            scanAll();
        } else {
            int domid = StorePaths.domainAbove(path);
            if (domid > 0) {
                scans.add(domid);
            }
        }
    }

    private void scanAll() {
        for (String name : names(StorePaths.DOMAINS)) {
            int domid = StorePaths.domid(name);
            if (domid > 0) {
                scans.add(domid);
            }
        }
        scans.addAll(pools.keySet());
        scannedAll = true;
    }

    /** Some of the scans that are due, one for each guest however many events asked for it. */
    private void scanSome() {
        long begin = System.nanoTime();
        while (!scans.isEmpty() && System.nanoTime() - begin < SCAN_NANOS_PER_ROUND) {
            int domid = scans.iterator().next();
            scans.remove(domid);
            try {
                scan(domid);
            } catch (XenstoreException e) {
                ofGuest(domid, e);
            }
        }
    }

    /** A refusal of the store is the guest's affair, unless nothing can be asked any more. */
    private void ofGuest(int domid, XenstoreException e) {
        if (!storeAnswers()) {
            throw e;
        }
        complain(domid, e.getMessage());
    }

    /** Looks at all start keys of a guest: new ones, and those that are no longer there. */
    private void scan(int domid) {
        if (!handler.accepts(domid)) {
            return;
        }
        BitSet asked = new BitSet();
        for (String base : List.of(XenvirtKeys.base(domid), XenvirtKeys.alternativeBase(domid))) {
            List<String> names = names(base);
            for (String name : names) {
                XenvirtKeys.startKey(base + "/" + name)
                        .ifPresent(key -> {
                            asked.set(key.device());
                            starts.put(new PortId(domid, key.device()), key);
                        });
            }
            for (GuestPort port : List.copyOf(ports.values())) {
                if (port.domid() == domid
                        && port.base().equals(base)
                        && !names.contains(XenvirtKeys.start(port.index()))) {
                    detach(port, "its start key was removed");
                }
            }
        }
        for (int i = 0; i < XenvirtKeys.MAX_DEVICES; i++) {
            if (!asked.get(i)) {
                handler.withdrawn(domid, i);
            }
        }
    }

    private List<String> names(String path) {
        try {
            return store.directory(path);
        } catch (XenstoreException e) {
            if (e.errno() == Errno.numberOf("ENOENT")) {
                return List.of();
            }
            throw e;
        }
    }

    // Beginnings.

    /**
     * Asks for a device to be taken off and opened again from its keys and rings as they are then:
     * the operator's way back for a quarantined one. Any thread; done in one of the next rounds,
     * unless the device has gone by then.
     */
    public void reopen(GuestPort port) {
        reopens.add(port);
    }

    private void reopenSome() {
        for (GuestPort port = reopens.poll(); port != null; port = reopens.poll()) {
            PortId id = new PortId(port.domid(), port.index());
            if (ports.get(id) == port) {
                detach(port, "it is released by the operator");
                starts.put(id, new StartKey(port.base(), port.domid(), port.index()));
            }
        }
    }

    private void startSome() {
        List<PortId> now = new ArrayList<>();
        for (PortId id : starts.keySet()) {
            if (now.size() < STARTS_PER_ROUND) {
                now.add(id);
            }
        }
        for (PortId id : now) {
            StartKey key = starts.remove(id);
            if (!start(id, key)) {
                starts.putIfAbsent(id, key);
            }
        }
    }

    /** Deals with a start key; returns false when it has to be looked at again. */
    private boolean start(PortId id, StartKey key) {
        if (!startBudget.has(id.domid(), System.nanoTime())) {
            // It starts devices without end; each costs the monitor work, and log lines.
            return false;
        }
        checkFlagsOf(id.domid());
        GuestKeys keys = new GuestKeys(store, mapper, id.domid(), key.base());
        String path = keys.path(XenvirtKeys.start(id.index()));
        try {
            String value = store.readString(path);
            GuestPort known = ports.get(id);
            if (value == null) {
                if (known != null && known.base().equals(key.base())) {
                    detach(known, "its start key was removed");
                }
                handler.withdrawn(id.domid(), id.index());
                return true;
            }
            if (!value.equals(XenvirtKeys.START)) {
                throw new PortException(
                        RejectReason.KEY_MALFORMED, path + ": not 1: " + XenvirtKeys.quote(value));
            }
            if (known != null) {
                if (known.madeFrom(key.base(), GuestPort.values(keys, id.index()))) {
                    // The scan and the watch have both seen it, or it is written again.
                    return true;
                }
                detach(known, "it was started anew");
            }
            if (leaving.containsKey(id)) {
                // Two may not poll the same rings.
                return false;
            }
            startBudget.spend(id.domid());
            open(id, key, keys);
        } catch (PortException e) {
            complain(id.domid(), e.getMessage());
            handler.refused(id.domid(), id.index(), e.reason(), e.getMessage());
        } catch (XenstoreException e) {
            ofGuest(id.domid(), e);
            handler.refused(id.domid(), id.index(), RejectReason.KEY_UNREADABLE, e.getMessage());
        }
        return true;
    }

    private void open(PortId id, StartKey key, GuestKeys keys) {
        GuestPools guest =
                pools.computeIfAbsent(id.domid(), d -> new GuestPools(options.maxPagesPerGuest()));
        try {
            GuestPort port = GuestPort.open(keys, id.domid(), id.index(), key.base(), guest);
            try {
                handler.attach(port);
            } catch (RuntimeException e) {
                port.release();
                throw e;
            }
            port.announce();
            ports.put(id, port);
            LOG.info("#####virtio dev {} is started", port);
        } finally {
            forgetGuest(id.domid(), false);
        }
    }

    private void complain(int domid, String message) {
        String more = budget.ask(domid, System.nanoTime());
        if (more != null) {
            LOG.warn("{}{}", message, more);
        }
    }

    // Ends.

    private void checkFlags() {
        for (Iterator<GuestPort> i = ports.values().iterator(); i.hasNext(); ) {
            GuestPort port = i.next();
            if (!port.isLive()) {
                i.remove();
                flagCleared(port);
            }
        }
    }

    private void checkFlagsOf(int domid) {
        for (GuestPort port : List.copyOf(ports.values())) {
            if (port.domid() == domid && !port.isLive()) {
                ports.remove(new PortId(domid, port.index()));
                flagCleared(port);
            }
        }
    }

    private void flagCleared(GuestPort port) {
        LOG.info("#####watch_unmap_event:  {} to be removed", port);
        leave(port);
    }

    private void detach(GuestPort port, String why) {
        ports.remove(new PortId(port.domid(), port.index()));
        LOG.info("#####{} to be removed: {}", port, why);
        leave(port);
    }

    private void leave(GuestPort port) {
        leaving.put(new PortId(port.domid(), port.index()), port);
        handler.detach(port);
    }

    private void releaseSome() {
        if (leaving.isEmpty()) {
            return;
        }
        for (PortId id : new ArrayDeque<>(leaving.keySet())) {
            GuestPort port = leaving.get(id);
            if (handler.released(port)) {
                leaving.remove(id);
                port.release();
                forgetGuest(id.domid(), true);
            }
        }
    }

    /** Forgets a guest that has no device. */
    private void forgetGuest(int domid, boolean hadOne) {
        for (PortId id : ports.keySet()) {
            if (id.domid() == domid) {
                return;
            }
        }
        for (PortId id : leaving.keySet()) {
            if (id.domid() == domid) {
                return;
            }
        }
        if (pools.remove(domid) != null && hadOne) {
            LOG.info("destroy guest ({})", domid);
        }
    }

    private void detachAll() {
        for (GuestPort port : List.copyOf(ports.values())) {
            ports.remove(new PortId(port.domid(), port.index()));
            leave(port);
        }
        long end = System.nanoTime() + CLOSE_TIME.toNanos();
        while (!leaving.isEmpty() && System.nanoTime() < end) {
            releaseSome();
            LockSupport.parkNanos(100_000);
        }
        for (GuestPort port : leaving.values()) {
            LOG.error("{} is still being polled; its pages stay mapped", port);
        }
    }

    /**
     * Ends the monitor: every device is detached, and unmapped as soon as its pollers have let go.
     * The pollers must be running, or the handler must know that they are not.
     */
    @Override
    public void close() {
        stopping = true;
        watch.close();
        // Interrupted or not: until the thread has ended, it maps and unmaps.
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        releases.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
