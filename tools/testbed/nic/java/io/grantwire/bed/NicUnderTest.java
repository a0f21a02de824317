package io.grantwire.bed;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A card with Grantwire's driver on it, and the far end of its wire. */
final class NicUnderTest implements AutoCloseable {
    private static final long PATIENCE = 20_000_000_000L;

    final String card;
    final EthDevice device;
    final Mempool pool;
    final Wire wire;
    final byte[] mac;

    /** A received frame: its bytes and what the driver says of it. */
    record Received(int queue, byte[] bytes, int flags, int tci, int hash) {}

    NicUnderTest(String card, String bdf, Wire wire) {
        this.card = card;
        this.wire = wire;
        this.device = EthDrivers.probe("pci:" + bdf, () -> {
            throw new IllegalStateException("no domain here");
        });
        this.pool = Mempool.create(MempoolConfig.of("nic-" + card, 4096).withCacheSize(0).withSource(device.packetMemory()));
        this.mac = device.macAddress().bytes();
    }

    /** Configures, sets up queues, starts, waits for the link. */
    void start(EthConfig config, int descriptors) throws Exception {
        device.configure(config);
        for (int q = 0; q < config.rxQueues(); q++) {
            device.rxQueueSetup(q, descriptors, pool);
        }
        for (int q = 0; q < config.txQueues(); q++) {
            device.txQueueSetup(q, descriptors);
        }
        device.start();
        if (!awaitLink(true)) {
            throw new IOException("no link at " + card);
        }
    }

    boolean awaitLink(boolean up) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE;
        while (device.link().up() != up) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(5);
        }
        return true;
    }

    /** Has a frame arrive. */
    void inject(byte[] frame) throws IOException {
        wire.send(card, frame);
    }

    /** What has come in the receive queues, at least so many frames, unless they take too long. */
    List<Received> receive(int queues, int wanted, long millis) {
        List<Received> list = new ArrayList<>();
        int[] burst = new int[32];
        long end = System.nanoTime() + millis * 1_000_000;
        do {
            for (int q = 0; q < queues; q++) {
                int n = device.rxBurst(q, burst, 0, burst.length);
                for (int i = 0; i < n; i++) {
                    int m = burst[i];
                    list.add(new Received(q, bytes(m), Mbuf.olFlags(m), Mbuf.vlanTci(m), Mbuf.hash(m)));
                    Mbuf.free(m);
                }
            }
        } while (list.size() < wanted && System.nanoTime() < end);
        return list;
    }

    /** The one frame that has come; null when there is none, or are several. */
    Received receiveOne(int queues) {
        List<Received> list = receive(queues, 1, 2000);
        list.addAll(receive(queues, 1, 5));
        return list.size() == 1 ? list.get(0) : null;
    }

    static byte[] bytes(int m) {
        byte[] bytes = new byte[Mbuf.pktLen(m)];
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(Mbuf.segment(s), ValueLayout.JAVA_BYTE, Mbuf.offset(s), bytes, at, Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
        }
        return bytes;
    }

    int mbuf(byte[] bytes) {
        int m = pool.allocChain(bytes.length);
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(bytes, at, Mbuf.segment(s), ValueLayout.JAVA_BYTE, Mbuf.offset(s), Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
        }
        return m;
    }

    /** Sends a frame and takes what comes out. */
    byte[] send(int queue, int m) throws IOException {
        int[] one = {m};
        long end = System.nanoTime() + PATIENCE;
        while (device.txBurst(queue, one, 0, 1) == 0) {
            if (System.nanoTime() > end) {
                Mbuf.free(m);
                return null;
            }
        }
        return wire.take(card, 2000);
    }

    @Override
    public void close() {
        device.close();
        pool.close();
    }
}
