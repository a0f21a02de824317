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

    /** How the device is to be configured; {@link #reconfigure} makes changes count. */
    final PortSettings settings;

    private boolean configured;
    private boolean started;
    private boolean closed;

    private EthStats lastShown;
    private long lastShownNanos;

    Port(int id, EthDevice device, Mempool pool, PortSettings settings) {
        this.id = id;
        this.device = device;
        this.pool = pool;
        this.settings = settings;
    }

    /** Whether the device has been configured as the settings say. */
    boolean configured() {
        return configured;
    }

    /** Has the next start configure the device anew; the port is stopped. */
    void reconfigure() {
        configured = false;
    }

    boolean started() {
        return started;
    }

    boolean closed() {
        return closed;
    }

    void start() {
        if (!configured) {
            EthConfig config = settings.config();
            device.configure(config);
            // Transmit first, as testpmd does it.
            for (int q = 0; q < config.txQueues(); q++) {
                device.txQueueSetup(q, settings.txDesc);
            }
            for (int q = 0; q < config.rxQueues(); q++) {
                device.rxQueueSetup(q, settings.rxDesc, pool);
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
            closePool();
        }
    }

    /**
     * Frees the pool, unless frames of it are still in another port's device: they are when this
     * port was closed while that one went on, and are back when all devices are closed.
     */
    void closePool() {
        if (!pool.isClosed() && pool.inUse() == 0) {
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
