package io.grantwire.vswitch;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.vswitch.SwitchConfig.WorkerLcore;
import io.grantwire.vswitch.SwitchStats.UplinkStats;
import io.grantwire.vswitch.count.FrameCounters;
import io.grantwire.vswitch.forward.ForwardingRules;
import io.grantwire.vswitch.forward.SwitchWorker;
import io.grantwire.vswitch.forward.Uplink;
import io.grantwire.vswitch.monitor.GuestMonitor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The switching back end. It serves the xenvirt devices of all guests of a host: finds them in the
 * store, maps their rings and buffers, and moves frames between them and the uplinks by polling.
 *
 * <p>A guest can harm nobody but itself: what it writes is checked before use, a device that breaks
 * the rules is quarantined, and no guest gets more than its turn.
 *
 * <p>Thread-safe.
 */
public final class Switch implements AutoCloseable {
    private static final Logger CONFIG = LoggerFactory.getLogger("CONFIG");
    private static final Logger DATA = LoggerFactory.getLogger("DATA");
    private static final Logger PORT = LoggerFactory.getLogger("PORT");
    private static final Duration JOIN_TIME = Duration.ofSeconds(30);

    private final long started = System.nanoTime();
    private final SwitchConfig config;
    private final DeviceRegistry registry;
    private final List<Uplink> uplinks = new ArrayList<>();
    private final List<EthDevice> devices = new ArrayList<>();
    private final List<SwitchWorker> workers = new ArrayList<>();
    private final List<Lcore> lcores = new ArrayList<>();
    private Mempool pool;
    private GuestMonitor monitor;
    private boolean closed;

    private Switch(SwitchConfig config, Domain domain) {
        this.config = config;
        openUplinks(domain);
        Set<Integer> wires = new HashSet<>();
        for (EthDevice device : devices) {
            if (device instanceof VhostDevice wire) {
                wires.add(wire.domid());
            }
        }
        this.registry = new DeviceRegistry(config, wires);
    }

    /**
     * Starts a switch.
     *
     * @param domain the control domain; stays the caller's, who closes it after the switch
     * @throws io.grantwire.pmd.ethdev.EthDeviceException when an uplink cannot be had
     * @throws io.grantwire.xenstore.XenstoreException when the store cannot be watched
     */
    public static Switch start(SwitchConfig config, Domain domain) {
        Switch s = new Switch(config, domain);
        try {
            s.start(domain);
            return s;
        } catch (RuntimeException e) {
            s.close();
            throw e;
        }
    }

    private void openUplinks(Domain domain) {
        try {
            for (UplinkSpec spec : config.uplinks()) {
                devices.add(spec.open(domain));
            }
        } catch (RuntimeException e) {
            devices.forEach(EthDevice::close);
            throw e;
        }
    }

    private void start(Domain domain) {
        List<UplinkPlan> plans =
                devices.stream().map(device -> UplinkPlan.of(device, config)).toList();
        pool = Mempool.create(poolConfig(plans));
        startUplinks(plans);
        registry.add(uplinks);
        PORT.info("Max virtio devices supported: {}", config.maxDevices());
        boolean lossless = devices.stream().anyMatch(d -> d.info().lossless());
        Duration hold = config.holdTime(lossless);
        ForwardingRules rules =
                new ForwardingRules(
                        config.vm2vm(),
                        config.flood(),
                        config.vlanStrip(),
                        config.wireTag(),
                        hold.toNanos(),
                        config.rxCoalesce().toNanos(),
                        config.maxFrame());
        CONFIG.debug("{}, rx retry {} ms", rules, hold.toMillis());
        startWorkers(rules);
        monitor =
                GuestMonitor.start(
                        domain,
                        "switch-monitor",
                        registry,
                        new GuestMonitor.Options(config.flagPoll(), config.maxPagesPerGuest()));
    }

    /**
     * Buffers for frames under way, for the uplinks' rings, and for what lies in the workers'
     * caches.
     */
    private MempoolConfig poolConfig(List<UplinkPlan> plans) {
        int buffers = config.mbufs() + plans.stream().mapToInt(UplinkPlan::buffers).sum();
        int caches = config.lcores().size() * SwitchWorker.MBUF_CACHE;
        return MempoolConfig.of("switch", buffers + caches)
                .withCacheSize(SwitchWorker.MBUF_CACHE)
                .withSource(memory());
    }

    /** Where frames are: in memory that cards can reach, if there is one. */
    private MemorySource memory() {
        for (EthDevice device : devices) {
            if (!device.capabilities().equals(EthCapabilities.NONE)) {
                return device.packetMemory();
            }
        }
        return config.memory();
    }

    private void startUplinks(List<UplinkPlan> plans) {
        int cores = config.lcores().size();
        for (int i = 0; i < devices.size(); i++) {
            EthDevice device = devices.get(i);
            UplinkPlan plan = plans.get(i);
            device.configure(plan.config());
            for (int q = 0; q < plan.config().rxQueues(); q++) {
                device.rxQueueSetup(q, plan.rxDesc(), pool);
            }
            for (int q = 0; q < plan.config().txQueues(); q++) {
                device.txQueueSetup(q, 0);
            }
            device.start();
            uplinks.add(
                    new Uplink(
                            config.uplinks().get(i).toString(),
                            device,
                            i,
                            i % cores,
                            cores,
                            plan.ownQueues(),
                            plan.features()));
            PORT.info("Port {} MAC: {}", i, device.macAddress().toString().replace(':', ' '));
            if (plan.config().vmdqPools() > 1) {
                PORT.info(
                        "Port {}: the card sorts frames into VMDq pools for up to {} devices",
                        i,
                        plan.config().vmdqPools() - 1);
            } else {
                receiveAll(device);
                PORT.info("Port {}: frames are sorted in software", i);
            }
        }
    }

    /** Guests have other addresses than the device: it must not pass over theirs. */
    private static void receiveAll(EthDevice device) {
        try {
            device.setPromiscuous(true);
        } catch (EthDeviceException e) {
            // It has no filter, as files and the like.
            CONFIG.debug("{}", e.getMessage());
        }
    }

    private void startWorkers(ForwardingRules rules) {
        int n = config.lcores().size();
        var handoffs = SwitchWorker.handoffs(n);
        for (int i = 0; i < n; i++) {
            workers.add(new SwitchWorker(i, rules, pool, uplinks, handoffs, registry.topology()));
        }
        for (int i = 0; i < n; i++) {
            Lcore lcore = launch(config.lcores().get(i), workers.get(i));
            lcores.add(lcore);
            registry.add(workers.get(i), lcore);
            DATA.info("Procesing on Core {} started", lcore.id());
        }
    }

    private Lcore launch(WorkerLcore where, SwitchWorker worker) {
        if (where.lcore() >= 0) {
            return launch(where.lcore(), where.cpu(), worker);
        }
        for (int id = 1; id < Lcore.MAX - 1; id++) {
            try {
                return launch(id, where.cpu(), worker);
            } catch (IllegalStateException e) {
                // Somebody else's; the next one.
            }
        }
        return launch(-1, where.cpu(), worker);
    }

    private Lcore launch(int lcore, int cpu, SwitchWorker worker) {
        return Lcores.launch(lcore, cpu, "switch-lcore", worker, config.idle());
    }

    /** What has been counted up to now. */
    public synchronized SwitchStats stats() {
        List<UplinkStats> ups = new ArrayList<>();
        for (Uplink u : uplinks) {
            FrameCounters[] toWire = new FrameCounters[workers.size()];
            FrameCounters[] fromWire = new FrameCounters[workers.size() + 1];
            for (int w = 0; w < toWire.length; w++) {
                toWire[w] = u.toWire(w);
                fromWire[w] = u.fromPools(w);
            }
            fromWire[toWire.length] = u.fromWire();
            ups.add(
                    new UplinkStats(
                            u.spec(),
                            u.device().info().driverName(),
                            u.device().macAddress().toString(),
                            u.failed(),
                            u.pools(),
                            DirectionStats.of(fromWire),
                            DirectionStats.of(toWire)));
        }
        return new SwitchStats(
                (System.nanoTime() - started) / 1_000_000,
                registry.deviceStats(),
                ups,
                registry.workerStats(),
                registry.refused(),
                registry.rejects(),
                closed ? 0 : pool.inUse());
    }

    /**
     * Serves a quarantined device again: its keys, pages and rings are read afresh. When what broke
     * the rules is still there, it is quarantined again at once.
     *
     * @param number of the device in this switch
     * @throws IllegalArgumentException when there is no such device, or it is not quarantined; the
     *     message is one line for people
     */
    public synchronized void release(int number) {
        if (closed) {
            throw new IllegalArgumentException("the switch has ended");
        }
        monitor.reopen(registry.quarantined(number));
    }

    /**
     * Ends the switch: guests are detached and their memory unmapped, frames under way are given to
     * the uplinks, and those are closed. A second call does nothing.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (monitor != null) {
            // The workers still run: each device is unmapped once its worker has let go.
            monitor.close();
        }
        lcores.forEach(Lcore::stop);
        boolean ended = join();
        if (ended) {
            workers.forEach(SwitchWorker::close);
        }
        if (ended) {
            devices.forEach(EthDevice::close);
            if (pool != null) {
                pool.close();
            }
        }
    }

    /** Waits for the workers, interrupted or not: what they use cannot be closed before. */
    private boolean join() {
        boolean ended = true;
        boolean interrupted = false;
        long end = System.nanoTime() + JOIN_TIME.toNanos();
        for (Lcore lcore : lcores) {
            while (lcore.isRunning() && System.nanoTime() < end) {
                try {
                    lcore.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            ended &= !lcore.isRunning();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            CONFIG.error("a worker did not end; its memory stays");
        }
        return ended;
    }
}
