package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Frames;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A model card with the driver on it and a pool; checks at the end that nothing was left over. */
final class IgbBed implements AutoCloseable {
    final Model82576 card;
    final IgbDevice device;
    final Mempool pool;

    IgbBed() {
        this(new Model82576());
    }

    IgbBed(Model82576 card) {
        this.card = card;
        this.device = card.open();
        this.pool =
                Mempool.create(
                        MempoolConfig.of("igb-test", 2048)
                                .withCacheSize(0)
                                .withSource(device.packetMemory()));
    }

    /** Configures, sets up all queues with the default size, starts. */
    IgbBed start(EthConfig config) {
        return start(config, 0);
    }

    IgbBed start(EthConfig config, int descriptors) {
        device.configure(config);
        for (int q = 0; q < config.rxQueues(); q++) {
            device.rxQueueSetup(q, descriptors, pool);
        }
        for (int q = 0; q < config.txQueues(); q++) {
            device.txQueueSetup(q, descriptors);
        }
        device.start();
        return this;
    }

    /** A frame for the card's own address. */
    static byte[] frame(int size, int tag) {
        return frame(Model82576.MAC, size, tag);
    }

    static byte[] frame(MacAddress to, int size, int tag) {
        byte[] bytes = Frames.bytes(size, tag);
        System.arraycopy(to.bytes(), 0, bytes, 0, 6);
        return bytes;
    }

    /** All that a queue has now; they are freed. */
    List<byte[]> receive(int queue) {
        List<byte[]> frames = new ArrayList<>();
        for (int m : receiveMbufs(queue)) {
            frames.add(bytes(m));
            Mbuf.free(m);
        }
        return frames;
    }

    /** All that a queue has now; the caller's. */
    List<Integer> receiveMbufs(int queue) {
        List<Integer> frames = new ArrayList<>();
        int[] burst = new int[32];
        for (int n = 1; n > 0; ) {
            n = device.rxBurst(queue, burst, 0, burst.length);
            for (int i = 0; i < n; i++) {
                frames.add(burst[i]);
            }
        }
        return frames;
    }

    static byte[] bytes(int m) {
        byte[] bytes = new byte[Mbuf.pktLen(m)];
        int at = 0;
        int segments = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(
                    Mbuf.segment(s),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(s),
                    bytes,
                    at,
                    Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
            segments++;
        }
        assertEquals(bytes.length, at, "pktLen is the sum of the mbufs' lengths");
        assertEquals(Mbuf.nbSegs(m), segments, "nbSegs is the number of mbufs");
        return bytes;
    }

    /** A frame in mbufs of this bed's pool, several when it is long. */
    int mbuf(byte[] bytes) {
        return mbuf(pool, bytes);
    }

    static int mbuf(Mempool from, byte[] bytes) {
        int m = from.allocChain(bytes.length);
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(
                    bytes,
                    at,
                    Mbuf.segment(s),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(s),
                    Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
        }
        return m;
    }

    /** Sends a frame; the one that comes out. */
    byte[] send(int m) {
        assertEquals(1, device.txBurst(0, new int[] {m}, 0, 1), "accepted");
        List<byte[]> out = card.departed();
        assertEquals(1, out.size(), "frames on the wire");
        return out.get(0);
    }

    long xstat(String name) {
        return device.xstats().get(name);
    }

    @Override
    public void close() {
        device.close();
        assertEquals(0, pool.inUse(), "mbufs left out");
        pool.close();
        assertEquals(0, card.dmaFaults(), "DMA faults");
        assertEquals(0, card.dma.live(), "DMA mappings left");
    }
}
