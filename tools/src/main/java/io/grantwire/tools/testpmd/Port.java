package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.mbuf.Mempool;

/** A port: a device, its pool, and what testpmd remembers about it. Used by the command thread. */
final class Port {
    final int id;
    final EthDevice device;
    final Mempool pool;
    private final int rxd;
    private final int txd;
    private final EthConfig config;

    private boolean configured;
    private boolean started;
    private boolean closed;

    private EthStats lastShown;
    private long lastShownNanos;

    Port(int id, EthDevice device, Mempool pool, EthConfig config, int rxd, int txd) {
        this.id = id;
        this.device = device;
        this.pool = pool;
        this.config = config;
        this.rxd = rxd;
        this.txd = txd;
    }

    boolean started() {
        return started;
    }

    boolean closed() {
        return closed;
    }

    void start() {
        if (!configured) {
            device.configure(config);
            // Transmit first, as testpmd does it.
            for (int q = 0; q < config.txQueues(); q++) {
                device.txQueueSetup(q, txd);
            }
            for (int q = 0; q < config.rxQueues(); q++) {
                device.rxQueueSetup(q, rxd, pool);
            }
            configured = true;
        }
        device.start();
        started = true;
    }

    void stop() {
        if (started) {
            device.stop();
            started = false;
        }
    }

    void close() {
        if (!closed) {
            closed = true;
            started = false;
            device.close();
            pool.close();
        }
    }

    /**
     * Frames per second since the last call, received then transmitted; zeroes the first time and
     * right after the counters were cleared.
     */
    long[] rates(EthStats now) {
        long nanos = System.nanoTime();
        long[] rates = new long[2];
        if (lastShown != null && nanos > lastShownNanos) {
            double seconds = (nanos - lastShownNanos) / 1e9;
            rates[0] = (long) (Math.max(0, now.ipackets() - lastShown.ipackets()) / seconds);
            rates[1] = (long) (Math.max(0, now.opackets() - lastShown.opackets()) / seconds);
        }
        lastShown = now;
        lastShownNanos = nanos;
        return rates;
    }

    void clearStats() {
        device.resetStats();
        lastShown = null;
    }
}
