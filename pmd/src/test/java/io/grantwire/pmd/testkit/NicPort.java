package io.grantwire.pmd.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A network card's device with a pool, and short ways to use it; closing looks for leaks. */
public final class NicPort implements AutoCloseable {
    /** The device. */
    public final EthDevice device;

    /** Where it receives into. */
    public final Mempool pool;

    /** Frames of one burst. */
    private final int[] burst = new int[64];

    /** A pool of usual mbufs that the device can reach. */
    public NicPort(EthDevice device) {
        this(device, Mempool.DEFAULT_DATA_ROOM);
    }

    /** A pool of other mbufs. */
    public NicPort(EthDevice device, int dataRoom) {
        this.device = device;
        this.pool =
                Mempool.create(
                        MempoolConfig.of("nic", 4096)
                                .withDataRoom(dataRoom)
                                .withSource(device.packetMemory()));
    }

    /** Configures and sets the queues up, with rings of a size; starts. */
    public NicPort start(EthConfig config, int nbDesc) {
        device.configure(config);
        for (int q = 0; q < config.rxQueues(); q++) {
            device.rxQueueSetup(q, nbDesc, pool);
        }
        for (int q = 0; q < config.txQueues(); q++) {
            device.txQueueSetup(q, nbDesc);
        }
        device.start();
        return this;
    }

    /** The same with the usual rings. */
    public NicPort start(EthConfig config) {
        return start(config, 0);
    }

    /** One receive burst of a queue, as mbufs. */
    public List<Integer> receiveMbufs(int queue) {
        int n = device.rxBurst(queue, burst, 0, burst.length);
        List<Integer> frames = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            frames.add(burst[i]);
        }
        return frames;
    }

    /** One receive burst of a queue, as bytes. */
    public List<byte[]> receive(int queue) {
        List<byte[]> frames = new ArrayList<>();
        for (int m : receiveMbufs(queue)) {
            frames.add(bytes(m));
            Mbuf.free(m);
        }
        return frames;
    }

    /** The bytes of a frame, whose lengths and segments must agree. */
    public static byte[] bytes(int m) {
        byte[] all = new byte[Mbuf.pktLen(m)];
        int at = 0;
        int segments = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(
                    Mbuf.segment(s),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(s),
                    all,
                    at,
                    Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
            segments++;
        }
        assertEquals(all.length, at, "bytes in the segments");
        assertEquals(Mbuf.nbSegs(m), segments, "segments");
        return all;
    }

    /** A frame in mbufs of a pool. */
    public static int mbuf(Mempool pool, byte[] frame) {
        int m = pool.allocChain(frame.length);
        assertTrue(m != 0, "pool is empty");
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(
                    frame,
                    at,
                    Mbuf.segment(s),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(s),
                    Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
        }
        return m;
    }

    /** A frame in mbufs of the port's pool. */
    public int mbuf(byte[] frame) {
        return mbuf(pool, frame);
    }

    /** Sends one frame through a queue that has room for it. */
    public void send(int queue, int m) {
        burst[0] = m;
        assertEquals(1, device.txBurst(queue, burst, 0, 1), "frames accepted");
    }

    /** Sends one frame. */
    public void send(byte[] frame) {
        send(0, mbuf(frame));
    }

    /** How often a counter has counted. */
    public long xstat(String name) {
        Long value = device.xstats().get(name);
        assertTrue(value != null, "no counter " + name + " in " + device.xstats().keySet());
        return value;
    }

    @Override
    public void close() {
        device.close();
        int out = pool.inUse();
        pool.close();
        assertEquals(0, out, "mbufs still out after close");
    }
}
