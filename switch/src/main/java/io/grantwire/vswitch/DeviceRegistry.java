package io.grantwire.vswitch;

import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.SwitchStats.DeviceStats;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import io.grantwire.vswitch.forward.GuestDevice;
import io.grantwire.vswitch.forward.PoolFeed;
import io.grantwire.vswitch.forward.SwitchWorker;
import io.grantwire.vswitch.forward.Topology;
import io.grantwire.vswitch.forward.Uplink;
import io.grantwire.vswitch.monitor.GuestPort;
import io.grantwire.vswitch.monitor.PortException;
import io.grantwire.vswitch.monitor.PortHandler;
import io.grantwire.vswitch.ring.RejectReason;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The switch's devices: gives each a number, a worker and, when nobody else has it, its address;
 * tells the workers of every change, and knows when they have let go of a device that left.
 *
 * <p>Changes come from the monitor's thread; snapshots may be taken by any.
 */
final class DeviceRegistry implements PortHandler {
    private static final Logger DATA = LoggerFactory.getLogger("DATA");
    private static final Logger PORT = LoggerFactory.getLogger("PORT");
    private static final Logger XENHOST = LoggerFactory.getLogger("XENHOST");

    /** A worker and its thread. */
    record Core(SwitchWorker worker, Lcore lcore) {}

    private record Leaving(GuestDevice device, Topology without) {}

    private final SwitchConfig config;
    private final Set<Integer> wires;
    private final List<Core> cores = new ArrayList<>();
    private final Map<GuestPort, GuestDevice> devices = new LinkedHashMap<>();
    private final Map<GuestPort, Leaving> leaving = new HashMap<>();

    /** Uplinks to be closed, and the first topology after they were given up. */
    private final Map<Uplink, Topology> closing = new LinkedHashMap<>();

    private final Map<Long, GuestDevice> owners = new HashMap<>();
    private final BitSet numbers = new BitSet();
    private final Set<GuestDevice> knownFaulty = new HashSet<>();
    private final Map<RejectReason, Long> rejects = new EnumMap<>(RejectReason.class);
    private final RefusedDevices refused = new RefusedDevices();
    private final Set<Core> knownDead = new HashSet<>();
    private VmdqPools pools;
    private UplinkWatch watch;
    private long epoch = 1;
    private int serial;
    private boolean uplinksOpen;

    /**
     * Whether the workers may begin. A switch that takes over from one that died finds devices in
     * use: if it served the first of them before it knew the others, their frames would go to the
     * wire.
     */
    private boolean settled;

    private Topology topology;

    /**
     * @param wires guests that are uplinks, and so no guests of this switch
     */
    DeviceRegistry(SwitchConfig config, Set<Integer> wires) {
        this.config = config;
        this.wires = wires;
        this.uplinksOpen = config.uplinkAfterDevices() == 0;
        this.pools = new VmdqPools(List.of(), config.flood());
        this.watch = new UplinkWatch(List.of());
        this.topology = build();
    }

    /** Tells of the uplinks, when they have been started; before the monitor starts. */
    synchronized void add(List<Uplink> uplinks) {
        pools = new VmdqPools(uplinks, config.flood());
        watch = new UplinkWatch(uplinks);
    }

    /** The topology to start workers with. */
    synchronized Topology topology() {
        return topology;
    }

    /** Adds a worker, in order; before the monitor starts. */
    synchronized void add(SwitchWorker worker, Lcore lcore) {
        cores.add(new Core(worker, lcore));
    }

    private Topology build() {
        return Topology.of(
                epoch++,
                config.lcores().size(),
                devices.values(),
                owners,
                pools.feeds(),
                uplinksOpen);
    }

    /**
     * Gives pools to devices that have none, as far as there are, and tells everybody of that.
     *
     * @param changed whether there is something else to tell
     */
    private void settle(boolean changed) {
        List<GuestDevice> registered = registered();
        List<PoolFeed> fresh = pools.reserve(registered);
        if (changed || !fresh.isEmpty()) {
            publish();
        }
        if (!pools.program(fresh, registered)) {
            publish();
        }
    }

    private List<GuestDevice> registered() {
        return owners.values().stream()
                .sorted(Comparator.comparingInt(GuestDevice::number))
                .toList();
    }

    private void publish() {
        topology = build();
        if (settled) {
            for (Core core : cores) {
                core.worker().propose(topology);
            }
        }
    }

    @Override
    public synchronized void settled() {
        settled = true;
        publish();
    }

    @Override
    public boolean accepts(int domid) {
        return !wires.contains(domid);
    }

    @Override
    public synchronized void attach(GuestPort port) {
        checkAddress(port);
        checkRoom(port);
        int number = numbers.nextClearBit(0);
        int worker = idlest();
        serial++;
        GuestDevice device =
                new GuestDevice(
                        port.domid(),
                        port.index(),
                        port.mac(),
                        number,
                        Topology.token(serial, number),
                        worker,
                        port.openReceive(),
                        port.openTransmit());
        numbers.set(number);
        devices.put(port, device);
        refused.remove(port.domid(), port.index());
        if (owners.putIfAbsent(device.mac(), device) == null) {
            logRegistered(device);
        } else {
            DATA.warn(
                    "({}) WARNING: This device is using an existing MAC address and has not been"
                            + " registered: {} is device {}'s",
                    number,
                    MacAddress.format(device.mac()),
                    owners.get(device.mac()).number());
        }
        uplinksOpen |= devices.size() >= config.uplinkAfterDevices();
        settle(true);
        DATA.info(
                "({}) Device has been added to data core {}",
                number,
                cores.get(worker).lcore().id());
    }

    private void checkAddress(GuestPort port) {
        String objection = config.macs().objection(port.domid(), port.guestName(), port.mac());
        if (objection != null) {
            throw new PortException(
                    RejectReason.MAC_NOT_ALLOWED,
                    port.macPath()
                            + ": "
                            + MacAddress.format(port.mac())
                            + " "
                            + objection
                            + ", see --mac");
        }
    }

    private void checkRoom(GuestPort port) {
        long ofGuest = devices.keySet().stream().filter(p -> p.domid() == port.domid()).count();
        if (ofGuest >= config.maxDevicesPerGuest()) {
            throw new PortException(
                    RejectReason.TOO_MANY_DEVICES,
                    "device "
                            + port
                            + " is not served: the guest has "
                            + config.maxDevicesPerGuest()
                            + " devices already, which is the most");
        }
        if (numbers.cardinality() >= config.maxDevices()) {
            throw new PortException(
                    RejectReason.TOO_MANY_DEVICES,
                    "device "
                            + port
                            + " is not served: there are "
                            + config.maxDevices()
                            + " devices already, which is the most");
        }
    }

    private static void logRegistered(GuestDevice device) {
        DATA.info(
                "({}) MAC_ADDRESS {} and VLAN_TAG {} registered.",
                device.number(),
                MacAddress.format(device.mac()),
                device.vlan());
    }

    private int idlest() {
        int[] served = new int[cores.size()];
        for (GuestDevice d : devices.values()) {
            served[d.worker()]++;
        }
        int best = 0;
        for (int w = 1; w < served.length; w++) {
            if (served[w] < served[best]) {
                best = w;
            }
        }
        return best;
    }

    @Override
    public synchronized void detach(GuestPort port) {
        GuestDevice device = devices.remove(port);
        noteFault(device);
        knownFaulty.remove(device);
        pools.release(device);
        if (owners.remove(device.mac(), device)) {
            // Another device of the same guest that waited for the address gets it. One of another
            // guest does not: it would receive what is meant for this guest when this one restarts.
            for (GuestDevice d : devices.values()) {
                if (d.mac() == device.mac() && d.domid() == device.domid()) {
                    owners.put(d.mac(), d);
                    logRegistered(d);
                    break;
                }
            }
        }
        settle(true);
        leaving.put(port, new Leaving(device, topology));
    }

    @Override
    public synchronized boolean released(GuestPort port) {
        Leaving l = leaving.get(port);
        if (!letGoOf(l.without())) {
            return false;
        }
        leaving.remove(port);
        pools.released(l.device());
        settle(false);
        numbers.clear(l.device().number());
        DATA.info("#####({}) Device has been removed from data core", l.device().number());
        return true;
    }

    /** Whether no worker is in a round that began before it knew a topology. */
    private boolean letGoOf(Topology topology) {
        for (Core core : cores) {
            if (!core.worker().hasAdopted(topology) && core.lcore().isRunning()) {
                return false;
            }
        }
        return true;
    }

    @Override
    public synchronized void refused(int domid, int index, RejectReason reason, String text) {
        rejects.merge(reason, 1L, Long::sum);
        refused.put(domid, index, reason, text);
    }

    @Override
    public synchronized void withdrawn(int domid, int index) {
        refused.remove(domid, index);
    }

    /**
     * The port of a quarantined device.
     *
     * @throws IllegalArgumentException when there is no such device, or it is not quarantined; the
     *     message is one line for people
     */
    synchronized GuestPort quarantined(int number) {
        for (Map.Entry<GuestPort, GuestDevice> entry : devices.entrySet()) {
            GuestDevice device = entry.getValue();
            if (device.number() == number) {
                if (device.fault() == null) {
                    throw new IllegalArgumentException("device " + number + " is not quarantined");
                }
                return entry.getKey();
            }
        }
        throw new IllegalArgumentException("there is no device " + number);
    }

    @Override
    public synchronized void tick() {
        for (Uplink uplink : watch.tick()) {
            uplink.giveUp();
            pools.forget(uplink);
            settle(true);
            closing.put(uplink, topology);
        }
        closeUplinks();
        for (GuestDevice d : devices.values()) {
            noteFault(d);
        }
        for (Core core : cores) {
            if (!core.lcore().isRunning() && knownDead.add(core)) {
                DATA.error("data core {} has ended: {}", core.lcore().id(), core.lcore().failure());
            }
        }
    }

    /**
     * The kernel waits, for ever, for who has a card that it wants back, and cards that were pulled
     * out keep their memory until they are closed.
     */
    private void closeUplinks() {
        closing.entrySet()
                .removeIf(entry -> {
                    if (!letGoOf(entry.getValue())) {
                        return false;
                    }
                    Uplink uplink = entry.getKey();
                    uplink.close();
                    PORT.warn(
                            "Port {} closed: the kernel may have {} back",
                            uplink.number(),
                            uplink.spec());
                    return true;
                });
    }

    private void noteFault(GuestDevice device) {
        String fault = device.fault();
        if (fault != null && knownFaulty.add(device)) {
            if (device.reject() != null) {
                rejects.merge(device.reject(), 1L, Long::sum);
            }
            XENHOST.warn(
                    "({}) device ({}, {}) is quarantined, {}; it is served again when the guest"
                            + " starts it anew, or by: grantwire switch ctl release {}",
                    device.number(),
                    device.domid(),
                    device.index(),
                    fault,
                    device.number());
        }
    }

    // Snapshots.

    synchronized List<DeviceStats> deviceStats() {
        List<DeviceStats> list = new ArrayList<>();
        for (GuestDevice d : devices.values()) {
            list.add(
                    new DeviceStats(
                            d.number(),
                            d.domid(),
                            d.index(),
                            MacAddress.format(d.mac()),
                            d.vlan(),
                            cores.get(d.worker()).lcore().id(),
                            d.state().name().toLowerCase(java.util.Locale.ROOT),
                            d.reject() == null ? null : d.reject().key(),
                            d.fault(),
                            owners.get(d.mac()) == d,
                            pools.poolsOf(d),
                            DirectionStats.of(d.txCounters()),
                            DirectionStats.of(d.rxCounters())));
        }
        list.sort(Comparator.comparingInt(DeviceStats::number));
        return list;
    }

    synchronized List<SwitchStats.WorkerStats> workerStats() {
        List<SwitchStats.WorkerStats> list = new ArrayList<>();
        for (int w = 0; w < cores.size(); w++) {
            Core core = cores.get(w);
            int worker = w;
            list.add(
                    new SwitchStats.WorkerStats(
                            core.lcore().id(),
                            core.lcore().isRunning(),
                            (int)
                                    devices.values().stream()
                                            .filter(d -> d.worker() == worker)
                                            .count(),
                            lost(core.worker().lost())));
        }
        return list;
    }

    private static Map<String, Long> lost(FrameCounters counters) {
        Map<String, Long> lost = new LinkedHashMap<>();
        for (DropReason reason : DropReason.values()) {
            long n = counters.dropped(reason);
            if (n != 0) {
                lost.put(reason.key(), n);
            }
        }
        return lost;
    }

    synchronized Map<String, Long> rejects() {
        Map<String, Long> all = new LinkedHashMap<>();
        rejects.forEach((reason, n) -> all.put(reason.key(), n));
        return all;
    }

    synchronized List<SwitchStats.RefusedStats> refused() {
        return refused.stats();
    }
}
