package io.grantwire.pmd.ethdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.OnLcore;
import io.grantwire.pmd.testkit.ZeroAllocation;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every driver owes its callers: the state machine and its errors, the burst contract, who
 * owns which mbuf, the counters. A driver's test extends it and provides a {@link Rig}; where the
 * machine cannot run the driver, {@link #openRig} skips the test with the reason.
 */
public abstract class EthDeviceContractTest {
    private static final String[] GENERIC_XSTATS = {
        "rx_good_packets",
        "tx_good_packets",
        "rx_good_bytes",
        "tx_good_bytes",
        "rx_missed_errors",
        "rx_errors",
        "tx_errors",
        "rx_mbuf_allocation_errors"
    };

    /** A device and what is at the other end of its wire. */
    public interface Rig {
        /** The device, freshly probed; the test closes it. */
        EthDevice device();

        /** The pool to receive into; the rig's, unless the driver needs nothing special. */
        default Mempool newPool(int count) {
            return Mempool.create(MempoolConfig.of("contract", count));
        }

        /** Called when the device has been started: brings up the other end. */
        default void started() throws Exception {}

        /**
         * Makes {@code frames} frames of {@code size} bytes arrive at the device, or as many as the
         * device can hold.
         */
        void arrive(int frames, int size) throws Exception;

        /** The size of all frames that arrive, when the rig cannot choose; 0 when it can. */
        default int fixedSize() {
            return 0;
        }

        /** Lets the other end do its part, so that a device with a bounded ring makes progress. */
        default void service() throws Exception {}

        /**
         * The frames that have come out at the other end since the last call.
         *
         * @return null when nobody can see them
         */
        default List<byte[]> departed() throws Exception {
            return null;
        }

        /** Takes down the other end; the device is closed already. */
        default void close() throws Exception {}
    }

    private Rig rig;

    /** The device under test. */
    protected EthDevice device;

    private Mempool pool;
    private int rxQueues = 1;
    private int txQueues = 1;

    /** Makes the device and its other end. */
    protected abstract Rig openRig() throws Exception;

    /** How many packets the allocation tests move; fewer where each costs a system call. */
    protected long allocationPackets() {
        return ZeroAllocation.PACKETS;
    }

    /** Whether frames arrive again and again once {@link Rig#arrive} is called often enough. */
    protected boolean endlessArrivals() {
        return true;
    }

    @BeforeEach
    void probe() throws Exception {
        rig = openRig();
        device = rig.device();
        pool = rig.newPool(2048);
    }

    @AfterEach
    void tearDown() throws Exception {
        if (rig != null) {
            device.close();
            rig.close();
            int out = pool.inUse();
            pool.close();
            assertEquals(0, out, "mbufs still out after close");
        }
    }

    private void start() throws Exception {
        device.configure(new EthConfig(rxQueues, txQueues));
        for (int q = 0; q < rxQueues; q++) {
            device.rxQueueSetup(q, 0, pool);
        }
        for (int q = 0; q < txQueues; q++) {
            device.txQueueSetup(q, 0);
        }
        device.start();
        rig.started();
    }

    private static void refused(String errno, String hint, Runnable call) {
        EthDeviceException e = assertThrows(EthDeviceException.class, call::run);
        assertTrue(e.getMessage().contains(errno), e.getMessage());
        assertTrue(e.getMessage().contains(hint), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    private int size() {
        return rig.fixedSize() > 0 ? rig.fixedSize() : 64;
    }

    /** Receives until {@code wanted} frames are there; the caller frees them. */
    private List<Integer> receive(int wanted) throws Exception {
        List<Integer> frames = new ArrayList<>();
        int[] burst = new int[32];
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (frames.size() < wanted && System.nanoTime() < deadline) {
            int n = device.rxBurst(0, burst, 0, Math.min(32, wanted - frames.size()));
            for (int i = 0; i < n; i++) {
                frames.add(burst[i]);
            }
            if (n == 0) {
                rig.service();
                Thread.yield();
            }
        }
        assertEquals(wanted, frames.size(), "frames received");
        return frames;
    }

    private static void free(List<Integer> frames) {
        frames.forEach(Mbuf::free);
    }

    private int frame(int size, int tag) {
        int m = pool.allocChain(size);
        assertTrue(m != 0, "pool is empty");
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment data = Mbuf.segment(s).asSlice(Mbuf.offset(s), Mbuf.dataLen(s));
            for (int i = 0; i < data.byteSize(); i++, at++) {
                data.set(java.lang.foreign.ValueLayout.JAVA_BYTE, i, frameByte(tag, at));
            }
        }
        return m;
    }

    private static byte frameByte(int tag, int at) {
        return switch (at) {
            // Locally administered unicast addresses, an experimental type.
            case 0, 6 -> 2;
            case 12 -> (byte) 0x88;
            case 13 -> (byte) 0xB5;
            default -> (byte) (tag * 31 + at);
        };
    }

    private void awaitTrue(String what, BooleanSupplier condition) throws Exception {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            rig.service();
            assertTrue(System.nanoTime() < deadline, what);
            Thread.sleep(1);
        }
    }

    // Life cycle.

    @Test
    void saysWhatItIs() {
        EthDeviceInfo info = device.info();
        assertNotNull(info.driverName());
        assertTrue(info.driverName().startsWith("net_"), info.driverName());
        assertTrue(info.maxRxQueues() >= 1);
        assertTrue(info.maxTxQueues() >= 1);
        assertTrue(info.minRxDesc() <= info.maxRxDesc());
        assertTrue(info.minTxDesc() <= info.maxTxDesc());
        assertTrue(info.minMtu() <= device.mtu() && device.mtu() <= info.maxMtu());
        assertEquals(info, device.info());
        assertFalse(device.macAddress().isMulticast());
        assertFalse(device.name().isEmpty());
        assertNotNull(device.link());
    }

    @Test
    void callsBeforeConfigureAreRefused() {
        refused("EINVAL", "configure", () -> device.start());
        refused("EINVAL", "configure", () -> device.rxQueueSetup(0, 0, pool));
        refused("EINVAL", "configure", () -> device.txQueueSetup(0, 0));
        device.stop();
    }

    @Test
    void wrongNumbersOfQueuesAreRefused() {
        EthDeviceInfo info = device.info();
        refused("EINVAL", "queues", () -> device.configure(new EthConfig(0, 1)));
        refused("EINVAL", "queues", () -> device.configure(new EthConfig(1, -1)));
        refused(
                "EINVAL",
                "queues",
                () -> device.configure(new EthConfig(info.maxRxQueues() + 1, 1)));
        refused(
                "EINVAL",
                "queues",
                () -> device.configure(new EthConfig(1, info.maxTxQueues() + 1)));
        device.configure(EthConfig.SINGLE_QUEUE);
        refused("EINVAL", "1 queues", () -> device.rxQueueSetup(1, 0, pool));
        refused("EINVAL", "1 queues", () -> device.txQueueSetup(-1, 0));
        refused("EINVAL", "mempool", () -> device.rxQueueSetup(0, 0, null));
        refused("EINVAL", "descriptors", () -> device.txQueueSetup(0, -1));
    }

    @Test
    void aReceiveQueueHasARingThatTheDeviceCanHave() {
        device.configure(EthConfig.SINGLE_QUEUE);
        assertEquals(0, device.rxDesc(0));
        assertEquals(0, device.rxDesc(-1));
        EthDeviceInfo info = device.info();
        // 0 asks for the usual size.
        int smallest = Math.max(1, info.minRxDesc());
        device.rxQueueSetup(0, smallest, pool);
        assertEquals(smallest, device.rxDesc(0));
        device.rxQueueSetup(0, Integer.MAX_VALUE, pool);
        assertEquals(info.maxRxDesc(), device.rxDesc(0));
    }

    @Test
    void startNeedsEveryQueueSetUp() {
        device.configure(EthConfig.SINGLE_QUEUE);
        refused("EINVAL", "receive queue 0", () -> device.start());
        device.rxQueueSetup(0, 0, pool);
        refused("EINVAL", "transmit queue 0", () -> device.start());
    }

    @Test
    void aStartedDeviceIsBusy() throws Exception {
        start();
        device.start();
        refused("EBUSY", "stop", () -> device.configure(EthConfig.SINGLE_QUEUE));
        refused("EBUSY", "stop", () -> device.rxQueueSetup(0, 0, pool));
        refused("EBUSY", "stop", () -> device.txQueueSetup(0, 0));
        device.stop();
        device.stop();
    }

    @Test
    void aClosedDeviceIsGone() throws Exception {
        start();
        device.close();
        device.close();
        refused("ENODEV", "closed", () -> device.configure(EthConfig.SINGLE_QUEUE));
        refused("ENODEV", "closed", () -> device.start());
        refused("ENODEV", "closed", () -> device.stop());
        refused("ENODEV", "closed", () -> device.rxQueueSetup(0, 0, pool));
        int[] none = new int[4];
        assertEquals(0, device.rxBurst(0, none, 0, 4));
        assertNotNull(device.stats());
        assertNotNull(device.xstats());
        assertNotNull(device.link());
        assertNotNull(device.name());
    }

    @Test
    void aDeviceCanBeClosedInEveryState() {
        device.configure(EthConfig.SINGLE_QUEUE);
        device.rxQueueSetup(0, 0, pool);
        device.close();
    }

    @Test
    void itRunsAgainAfterStopAndConfigure() throws Exception {
        start();
        rig.arrive(1, size());
        free(receive(1));
        device.stop();
        assertEquals(0, device.rxBurst(0, new int[4], 0, 4));
        start();
        rig.arrive(1, size());
        free(receive(1));
    }

    // Receiving.

    @Test
    void receivedFramesAreTheCallersAndAreCounted() throws Exception {
        start();
        device.resetStats();
        rig.arrive(20, size());
        List<Integer> frames = receive(20);
        assertEquals(20, Set.copyOf(frames).size());
        long bytes = 0;
        for (int m : frames) {
            assertSame(pool, Mempool.of(m));
            assertEquals(size(), Mbuf.pktLen(m));
            assertEquals(1, Mbuf.refcnt(m));
            assertTrue(Mbuf.headroom(m) >= 0);
            bytes += Mbuf.pktLen(m);
        }
        EthStats stats = device.stats();
        assertEquals(20, stats.ipackets());
        assertEquals(bytes, stats.ibytes());
        assertEquals(0, stats.ierrors());
        free(frames);
    }

    @Test
    void rxBurstStaysWithinItsPartOfTheArray() throws Exception {
        start();
        rig.arrive(16, size());
        int[] burst = new int[16];
        Arrays.fill(burst, -1);
        int got = 0;
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (got == 0 && System.nanoTime() < deadline) {
            got = device.rxBurst(0, burst, 5, 4);
            rig.service();
        }
        assertTrue(got >= 1 && got <= 4, "got " + got);
        for (int i = 0; i < 16; i++) {
            if (i >= 5 && i < 5 + got) {
                assertTrue(burst[i] > 0);
                Mbuf.free(burst[i]);
            } else {
                assertEquals(-1, burst[i], "index " + i);
            }
        }
        assertEquals(0, device.rxBurst(0, burst, 0, 0));
    }

    @Test
    void anEmptyPoolIsCountedAndSurvived() throws Exception {
        start();
        int[] hoard = new int[2048];
        int n = 0;
        for (int m = pool.alloc(); m != 0; m = pool.alloc()) {
            hoard[n++] = m;
        }
        List<Integer> held = new ArrayList<>();
        int[] burst = new int[32];
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (device.stats().rxNombuf() == 0 && System.nanoTime() < deadline) {
            rig.arrive(32, size());
            int k = device.rxBurst(0, burst, 0, 32);
            for (int i = 0; i < k; i++) {
                held.add(burst[i]);
            }
            rig.service();
        }
        assertTrue(device.stats().rxNombuf() > 0, "rx_mbuf_allocation_errors");
        free(held);
        Mempool.freeBulk(hoard, 0, n);
        if (endlessArrivals()) {
            rig.arrive(1, size());
            free(receive(1));
        }
    }

    // Transmitting.

    @Test
    void transmittedFramesBecomeTheDevicesAndAreCounted() throws Exception {
        start();
        device.resetStats();
        int[] frames = new int[20];
        for (int i = 0; i < 20; i++) {
            frames[i] = frame(60 + i, i);
        }
        int before = pool.inUse();
        int sent = 0;
        long bytes = 0;
        List<byte[]> seen = new ArrayList<>();
        boolean visible = true;
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (sent < 20 && System.nanoTime() < deadline) {
            int k = device.txBurst(0, frames, sent, Math.min(7, 20 - sent));
            assertTrue(k >= 0 && k <= 7);
            for (int i = sent; i < sent + k; i++) {
                bytes += 60 + i;
            }
            sent += k;
            visible &= collect(seen);
        }
        assertEquals(20, sent);
        assertTrue(pool.inUse() <= before);
        if (visible) {
            awaitTrue("frames at the other end", () -> collect(seen) && seen.size() >= 20);
            for (int i = 0; i < 20; i++) {
                byte[] expected = new byte[60 + i];
                for (int k = 0; k < expected.length; k++) {
                    expected[k] = frameByte(i, k);
                }
                assertTrue(Arrays.equals(expected, seen.get(i)), "frame " + i + " is the same");
            }
        }
        EthStats stats = device.stats();
        assertEquals(20, stats.opackets());
        assertEquals(bytes, stats.obytes());
        assertEquals(0, stats.oerrors());
        assertEquals(0, device.txBurst(0, frames, 0, 0));
    }

    private boolean collect(List<byte[]> seen) {
        try {
            rig.service();
            List<byte[]> more = rig.departed();
            if (more == null) {
                return false;
            }
            seen.addAll(more);
            return true;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void framesNotAcceptedStayTheCallers() throws Exception {
        start();
        int[] frames = new int[1024];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = pool.alloc();
            if (frames[i] == 0) {
                frames = Arrays.copyOf(frames, i);
                break;
            }
            Mbuf.append(frames[i], 64);
            Mbuf.segment(frames[i]).asSlice(Mbuf.offset(frames[i]), 64).fill((byte) 2);
        }
        int sent = device.txBurst(0, frames, 0, frames.length);
        assertTrue(sent >= 0 && sent <= frames.length);
        long bad = Mempool.badFrees();
        for (int i = sent; i < frames.length; i++) {
            assertEquals(1, Mbuf.refcnt(frames[i]));
            Mbuf.free(frames[i]);
        }
        device.stop();
        assertEquals(bad, Mempool.badFrees());
        device.close();
        assertEquals(bad, Mempool.badFrees());
        assertEquals(0, pool.inUse(), "the device freed what it had accepted");
    }

    @Test
    void aFrameOfSeveralSegmentsGoesOutWhole() throws Exception {
        assumeTrue(device.info().multiSegment(), "the driver has no multi-segment transmission");
        start();
        int m = frame(100, 1);
        int tail = frame(300, 2);
        Mbuf.adj(tail, 14);
        Mbuf.chain(m, tail);
        int[] one = {m};
        List<byte[]> seen = new ArrayList<>();
        awaitTrue("accepted", () -> device.txBurst(0, one, 0, 1) == 1);
        if (!collect(seen)) {
            return;
        }
        awaitTrue("at the other end", () -> collect(seen) && !seen.isEmpty());
        assertEquals(386, seen.get(0).length);
        assertEquals(frameByte(1, 99), seen.get(0)[99]);
        assertEquals(frameByte(2, 14), seen.get(0)[100]);
        assertEquals(frameByte(2, 299), seen.get(0)[385]);
    }

    // Counters.

    @Test
    void xstatsHaveTheUsualNamesInTheUsualOrder() throws Exception {
        start();
        rig.arrive(5, size());
        free(receive(5));
        Map<String, Long> x = device.xstats();
        List<String> names = List.copyOf(x.keySet());
        assertEquals(List.of(GENERIC_XSTATS), names.subList(0, GENERIC_XSTATS.length));
        assertEquals(
                List.of(
                        "rx_q0_packets",
                        "rx_q0_bytes",
                        "rx_q0_errors",
                        "tx_q0_packets",
                        "tx_q0_bytes"),
                names.subList(GENERIC_XSTATS.length, GENERIC_XSTATS.length + 5));
        assertEquals(new HashSet<>(names).size(), names.size());
        assertEquals(x.get("rx_good_packets"), x.get("rx_q0_packets"));
        assertEquals(names, List.copyOf(device.xstats().keySet()));
        assertTrue(x.get("rx_good_packets") >= 5);
    }

    @Test
    void resetSetsCountersToZeroAndCountingGoesOn() throws Exception {
        start();
        rig.arrive(5, size());
        free(receive(5));
        device.resetStats();
        EthStats zero = device.stats();
        assertEquals(0, zero.ipackets());
        assertEquals(0, zero.ibytes());
        rig.arrive(3, size());
        free(receive(3));
        assertEquals(3, device.stats().ipackets());
        assertEquals(3L * size(), device.stats().ibytes());
    }

    // The packet path.

    @Test
    void receivingAndTransmittingAllocateNothing() throws Exception {
        start();
        OnLcore.run(() -> {
            int[] burst = new int[32];
            ZeroAllocation.check(
                    device.info().driverName() + " receive and transmit",
                    allocationPackets(),
                    () -> forward(burst));
        });
    }

    /** Receives a burst, sends it out again, lets the other end work; how many it received. */
    private int forward(int[] burst) {
        int n = device.rxBurst(0, burst, 0, 32);
        int sent = n == 0 ? 0 : device.txBurst(0, burst, 0, n);
        Mempool.freeBulk(burst, sent, n - sent);
        stimulate(n);
        return n;
    }

    /**
     * Keeps frames coming in the allocation test, without allocating on this thread; {@code n} is
     * what the last burst received. The default suits devices that receive without end.
     */
    protected void stimulate(int n) {}
}
