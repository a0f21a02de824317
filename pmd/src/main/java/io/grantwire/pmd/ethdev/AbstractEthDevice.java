package io.grantwire.pmd.ethdev;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all drivers share: the state machine with its errors, queue counters, statistics. A driver
 * fills in the {@code do...} methods, which are called in a legal order only, and the two burst
 * methods, in which it counts with {@link #rxCounters} and {@link #txCounters} once per burst.
 */
public abstract class AbstractEthDevice implements EthDevice {
    private enum State {
        PROBED,
        CONFIGURED,
        STARTED,
        CLOSED
    }

    private static final Logger LOG = LoggerFactory.getLogger(AbstractEthDevice.class);
    private static final int DEFAULT_DESC = 512;

    private final String name;
    private MacAddress macAddress;
    private State state = State.PROBED;
    private boolean promiscuous;
    private boolean allMulticast;
    private int mtu = 1500;

    // Replaced as a whole by configure, so that statistics may be read by any thread.
    private volatile Counters counters = new Counters(0, 0);
    private int[] rxDesc = new int[0];
    private boolean[] txReady = new boolean[0];

    private static final class Counters {
        final QueueCounters[] rx;
        final QueueCounters[] tx;
        volatile Map<String, Long> baseline = Map.of();

        Counters(int rxQueues, int txQueues) {
            rx = new QueueCounters[rxQueues];
            tx = new QueueCounters[txQueues];
            for (int i = 0; i < rxQueues; i++) {
                rx[i] = new QueueCounters();
            }
            for (int i = 0; i < txQueues; i++) {
                tx[i] = new QueueCounters();
            }
        }
    }

    /**
     * @param name the device's name
     * @param macAddress its address
     */
    protected AbstractEthDevice(String name, MacAddress macAddress) {
        this.name = name;
        this.macAddress = macAddress;
    }

    // What a driver fills in.

    /** The queues are now as many as {@code config} says; queues set up before are void. */
    protected void doConfigure(EthConfig config) {}

    /** Prepares a receive queue; {@code nbDesc} is within the device's limits. */
    protected abstract void doRxQueueSetup(int queue, int nbDesc, Mempool pool);

    /** Prepares a transmit queue; {@code nbDesc} is within the device's limits. */
    protected abstract void doTxQueueSetup(int queue, int nbDesc);

    /** Starts traffic; every queue is set up. */
    protected abstract void doStart();

    /** Stops traffic and frees the mbufs that the device holds. */
    protected abstract void doStop();

    /** Frees everything; stopped already. What it throws is logged. */
    protected abstract void doClose();

    /** Asks the device for promiscuous mode. */
    protected void doSetPromiscuous(boolean on) {
        throw notSupported("promiscuous mode");
    }

    /** Asks the device for all multicast frames. */
    protected void doSetAllMulticast(boolean on) {
        throw notSupported("all-multicast mode");
    }

    /** Adds the driver's own counters. */
    protected void addXstats(Map<String, Long> xstats) {}

    /** The default ring size. */
    protected int defaultDesc() {
        return DEFAULT_DESC;
    }

    /** The counters of a receive queue, for the polling thread; fetch once, at set-up. */
    protected final QueueCounters rxCounters(int queue) {
        return counters.rx[queue];
    }

    /** The counters of a transmit queue, for the polling thread; fetch once, at set-up. */
    protected final QueueCounters txCounters(int queue) {
        return counters.tx[queue];
    }

    /** Changes the device's address. */
    protected final void setMacAddress(MacAddress mac) {
        macAddress = mac;
    }

    /** Takes note of the largest payload, for {@link #mtu}. */
    protected final void noteMtu(int bytes) {
        mtu = bytes;
    }

    /** Whether traffic flows. */
    protected final boolean started() {
        return state == State.STARTED;
    }

    /** The failure of an operation on this device: {@code name: what: ERRNO (why)}. */
    protected final EthDeviceException failure(String what, String errno, String why) {
        return new EthDeviceException(
                "device " + name + ": " + what + ": " + errno + " (" + why + ")");
    }

    private EthDeviceException notSupported(String what) {
        return failure(what, "ENOTSUP", info().driverName() + " cannot do that");
    }

    // The state machine.

    @Override
    public final synchronized void configure(EthConfig config) {
        refuseClosed("configure");
        if (state == State.STARTED) {
            throw failure("configure", "EBUSY", "it is started; stop it first");
        }
        EthDeviceInfo info = info();
        checkQueues("receive", config.rxQueues(), info.maxRxQueues());
        checkQueues("transmit", config.txQueues(), info.maxTxQueues());
        checkFeatures(config, info);
        counters = new Counters(config.rxQueues(), config.txQueues());
        rxDesc = new int[config.rxQueues()];
        txReady = new boolean[config.txQueues()];
        state = State.PROBED;
        doConfigure(config);
        state = State.CONFIGURED;
    }

    private void checkQueues(String direction, int wanted, int most) {
        if (wanted < 1 || wanted > most) {
            throw failure(
                    "configure",
                    "EINVAL",
                    wanted + " " + direction + " queues asked for, it has 1 to " + most);
        }
    }

    private void checkFeatures(EthConfig config, EthDeviceInfo info) {
        EthCapabilities can = capabilities();
        for (EthOffload offload : config.offloads()) {
            if (!can.offloads().contains(offload)) {
                throw failure("configure", "ENOTSUP", "it has no " + offload);
            }
        }
        if (!can.rssTypes().containsAll(config.rss().types())) {
            throw failure("configure", "ENOTSUP", "it cannot hash all of " + config.rss().types());
        }
        int key = config.rss().key().length;
        if (config.rss().on() && key != 0 && key != can.rssKeySize()) {
            throw failure(
                    "configure",
                    "EINVAL",
                    "an RSS key of " + key + " bytes, it takes " + can.rssKeySize());
        }
        int pools = config.vmdqPools();
        if (pools < 0 || pools > can.vmdqPools()) {
            throw failure(
                    "configure",
                    can.vmdqPools() == 0 ? "ENOTSUP" : "EINVAL",
                    pools + " VMDq pools asked for, it has " + can.vmdqPools());
        }
        if (pools > config.rxQueues()) {
            throw failure("configure", "EINVAL", "fewer receive queues than VMDq pools");
        }
        int bytes = config.mtu();
        if (bytes != 0 && (bytes < info.minMtu() || bytes > info.maxMtu())) {
            throw failure(
                    "configure",
                    "EINVAL",
                    "MTU " + bytes + " is not in " + info.minMtu() + " to " + info.maxMtu());
        }
    }

    @Override
    public final synchronized void rxQueueSetup(int queue, int nbDesc, Mempool pool) {
        String what = "set up receive queue " + queue;
        checkSetup(what, queue, rxDesc.length);
        EthDeviceInfo info = info();
        if (pool == null) {
            throw failure(what, "EINVAL", "no mempool");
        }
        int desc = fitDesc(what, nbDesc, info.minRxDesc(), info.maxRxDesc(), info);
        doRxQueueSetup(queue, desc, pool);
        rxDesc[queue] = desc;
    }

    @Override
    public final synchronized int rxDesc(int queue) {
        return queue >= 0 && queue < rxDesc.length ? rxDesc[queue] : 0;
    }

    @Override
    public final synchronized void txQueueSetup(int queue, int nbDesc) {
        String what = "set up transmit queue " + queue;
        checkSetup(what, queue, txReady.length);
        EthDeviceInfo info = info();
        doTxQueueSetup(queue, fitDesc(what, nbDesc, info.minTxDesc(), info.maxTxDesc(), info));
        txReady[queue] = true;
    }

    private void checkSetup(String what, int queue, int queues) {
        refuseClosed(what);
        if (state == State.PROBED) {
            throw failure(what, "EINVAL", "it is not configured; configure it first");
        }
        if (state == State.STARTED) {
            throw failure(what, "EBUSY", "it is started; stop it first");
        }
        if (queue < 0 || queue >= queues) {
            throw failure(what, "EINVAL", "it is configured with " + queues + " queues");
        }
    }

    private int fitDesc(String what, int nbDesc, int min, int max, EthDeviceInfo info) {
        if (nbDesc < 0) {
            throw failure(what, "EINVAL", nbDesc + " descriptors");
        }
        int n = nbDesc == 0 ? defaultDesc() : nbDesc;
        int align = Math.max(info.descAlign(), 1);
        n = (int) Math.min(((long) n + align - 1) / align * align, Integer.MAX_VALUE);
        return Math.max(min, Math.min(n, max));
    }

    @Override
    public final synchronized void start() {
        refuseClosed("start");
        if (state == State.STARTED) {
            return;
        }
        if (state == State.PROBED) {
            throw failure("start", "EINVAL", "it is not configured; configure it first");
        }
        for (int i = 0; i < rxDesc.length; i++) {
            if (rxDesc[i] == 0) {
                throw failure("start", "EINVAL", "receive queue " + i + " is not set up");
            }
        }
        for (int i = 0; i < txReady.length; i++) {
            if (!txReady[i]) {
                throw failure("start", "EINVAL", "transmit queue " + i + " is not set up");
            }
        }
        doStart();
        state = State.STARTED;
    }

    @Override
    public final synchronized void stop() {
        refuseClosed("stop");
        if (state == State.STARTED) {
            state = State.CONFIGURED;
            doStop();
        }
    }

    @Override
    public final synchronized void close() {
        if (state == State.CLOSED) {
            return;
        }
        boolean started = state == State.STARTED;
        state = State.CLOSED;
        if (started) {
            quietly(this::doStop);
        }
        quietly(this::doClose);
    }

    private void quietly(Runnable teardown) {
        try {
            teardown.run();
        } catch (RuntimeException e) {
            LOG.warn("device {}: close: {}", name, e.getMessage());
        }
    }

    private void refuseClosed(String what) {
        if (state == State.CLOSED) {
            throw failure(what, "ENODEV", "it is closed");
        }
    }

    // Properties.

    @Override
    public final String name() {
        return name;
    }

    @Override
    public MacAddress macAddress() {
        return macAddress;
    }

    @Override
    public final boolean promiscuous() {
        return promiscuous;
    }

    @Override
    public final synchronized void setPromiscuous(boolean on) {
        refuseClosed("promiscuous mode");
        doSetPromiscuous(on);
        promiscuous = on;
    }

    @Override
    public final boolean allMulticast() {
        return allMulticast;
    }

    @Override
    public final synchronized void setAllMulticast(boolean on) {
        refuseClosed("all-multicast mode");
        doSetAllMulticast(on);
        allMulticast = on;
    }

    @Override
    public int mtu() {
        return mtu;
    }

    // Statistics.

    @Override
    public final EthStats stats() {
        Map<String, Long> x = xstats();
        return new EthStats(
                x.get("rx_good_packets"),
                x.get("tx_good_packets"),
                x.get("rx_good_bytes"),
                x.get("tx_good_bytes"),
                x.get("rx_missed_errors"),
                x.get("rx_errors"),
                x.get("tx_errors"),
                x.get("rx_mbuf_allocation_errors"));
    }

    @Override
    public final void resetStats() {
        // The polling threads stay the only writers: what is counted so far is subtracted.
        Counters c = counters;
        c.baseline = totals(c);
    }

    @Override
    public final Map<String, Long> xstats() {
        Counters c = counters;
        Map<String, Long> now = totals(c);
        Map<String, Long> baseline = c.baseline;
        now.replaceAll((key, value) -> value - baseline.getOrDefault(key, 0L));
        return now;
    }

    private Map<String, Long> totals(Counters c) {
        Map<String, Long> x = new LinkedHashMap<>();
        long rxPackets = 0, rxBytes = 0, rxErrors = 0, missed = 0, noMbuf = 0;
        long txPackets = 0, txBytes = 0, txErrors = 0;
        for (QueueCounters q : c.rx) {
            rxPackets += q.packets();
            rxBytes += q.bytes();
            rxErrors += q.errors();
            missed += q.missed();
            noMbuf += q.noMbuf();
        }
        for (QueueCounters q : c.tx) {
            txPackets += q.packets();
            txBytes += q.bytes();
            txErrors += q.errors();
        }
        x.put("rx_good_packets", rxPackets);
        x.put("tx_good_packets", txPackets);
        x.put("rx_good_bytes", rxBytes);
        x.put("tx_good_bytes", txBytes);
        x.put("rx_missed_errors", missed);
        x.put("rx_errors", rxErrors);
        x.put("tx_errors", txErrors);
        x.put("rx_mbuf_allocation_errors", noMbuf);
        for (int i = 0; i < c.rx.length; i++) {
            x.put("rx_q" + i + "_packets", c.rx[i].packets());
            x.put("rx_q" + i + "_bytes", c.rx[i].bytes());
            x.put("rx_q" + i + "_errors", c.rx[i].errors());
        }
        for (int i = 0; i < c.tx.length; i++) {
            x.put("tx_q" + i + "_packets", c.tx[i].packets());
            x.put("tx_q" + i + "_bytes", c.tx[i].bytes());
        }
        addXstats(x);
        return x;
    }
}
