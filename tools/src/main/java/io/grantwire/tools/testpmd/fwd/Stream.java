package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import java.io.PrintStream;
import java.util.concurrent.locks.LockSupport;

/**
 * One receive queue and the transmit queue its frames go to, with everything a forwarding engine
 * needs and changes. Owned by one polling thread while it runs; the counters may be read once that
 * thread has ended.
 */
public final class Stream {
    /** What stays the same while forwarding runs. */
    public static final class Settings {
        /** Frames per burst. */
        public int burst = 32;

        /** Whether to try again when a burst is not taken whole. */
        public boolean retry;

        /** Microseconds between two tries. */
        public int retryDelayUs = 1;

        /** How often to try again. */
        public int retryNum = 64;

        /** Segment lengths of generated frames, in bytes. */
        public int[] segmentLengths = {64};

        /**
         * Lengths of successive generated frames, in turn, each of one segment; empty for frames of
         * {@link #segmentLengths}.
         */
        public int[] lengthCycle = {};

        /** Length of a generated frame in bytes. */
        public int txPacketLength() {
            int sum = 0;
            for (int length : segmentLengths) {
                sum += length;
            }
            return sum;
        }
    }

    /** Delays from here on sleep; shorter ones spin, since sleeping takes longer than they last. */
    private static final int SLEEP_FROM_US = 50;

    final int rxPort;
    final int txPort;
    final EthDevice rxDevice;
    final EthDevice txDevice;
    final int rxQueue;
    final int txQueue;
    final Mempool txPool;
    final long txMac;
    final long peerMac;
    final Settings settings;
    final PrintStream out;
    final int[] mbufs;

    /** How much to print about received frames; changed by {@code set verbose} while running. */
    volatile int verbose;

    private volatile boolean stopping;

    /** State of the generating engines. */
    final FrameTemplate template;

    int nextFlow;
    int nextLength;

    /** Which checksums the transmitting device fills in, of {@link Mbuf#TX_CKSUM_MASK}. */
    int txChecksums;

    private int txVlan = -1;
    private long badIp;
    private long badL4;
    private long rx;
    private long tx;
    private long dropped;

    /**
     * @param rxPort number of the receiving port
     * @param rxDevice the receiving device
     * @param txPort number of the transmitting port
     * @param txDevice the transmitting device
     * @param queue the queue of both
     * @param txPool where generated frames are taken from
     * @param peerMac destination address for the modes that set one
     * @param settings not changed while the stream runs
     * @param out where verbose output goes
     */
    public Stream(
            int rxPort,
            EthDevice rxDevice,
            int txPort,
            EthDevice txDevice,
            int queue,
            Mempool txPool,
            long peerMac,
            Settings settings,
            PrintStream out) {
        this.rxPort = rxPort;
        this.rxDevice = rxDevice;
        this.rxQueue = queue;
        this.txPort = txPort;
        this.txDevice = txDevice;
        this.txQueue = queue;
        this.txPool = txPool;
        this.txMac = txDevice.macAddress().value();
        this.peerMac = peerMac;
        this.settings = settings;
        this.out = out;
        this.mbufs = new int[Math.max(1, settings.burst)];
        this.template = new FrameTemplate();
    }

    /**
     * Says what the transmitting device is to do, before the stream runs.
     *
     * @param checksums which it fills in, of {@link Mbuf#TX_CKSUM_MASK}
     * @param vlan the tag control information it inserts, -1 for no tag
     */
    public void setTxOffloads(int checksums, int vlan) {
        txChecksums = checksums;
        txVlan = vlan;
    }

    /** Has the device put its port's tag onto the first {@code n} frames, if there is one. */
    void tag(int n) {
        int tci = txVlan;
        if (tci >= 0) {
            for (int i = 0; i < n; i++) {
                int m = mbufs[i];
                Mbuf.setOlFlags(m, Mbuf.olFlags(m) | Mbuf.TX_VLAN);
                Mbuf.setVlanTci(m, tci);
            }
        }
    }

    /** Counts frames whose checksums the receiving device found wrong. */
    void countBadChecksums(int ip, int l4) {
        badIp += ip;
        badL4 += l4;
    }

    /** Receives a burst into {@link #mbufs}. */
    int receive() {
        int n = rxDevice.rxBurst(rxQueue, mbufs, 0, settings.burst);
        rx += n;
        return n;
    }

    /**
     * Sends the first {@code n} of {@link #mbufs}; frees and counts what the port does not take.
     */
    void send(int n) {
        int sent = txDevice.txBurst(txQueue, mbufs, 0, n);
        if (sent < n && settings.retry) {
            sent = sendAgain(sent, n);
        }
        tx += sent;
        if (sent < n) {
            dropped += n - sent;
            Mempool.freeBulk(mbufs, sent, n - sent);
        }
    }

    private int sendAgain(int alreadySent, int n) {
        int sent = alreadySent;
        for (int tries = settings.retryNum; sent < n && tries > 0 && !stopping; tries--) {
            pause(settings.retryDelayUs);
            int more = txDevice.txBurst(txQueue, mbufs, sent, n - sent);
            sent += more;
            if (more > 0) {
                tries = settings.retryNum;
            }
        }
        return sent;
    }

    private static void pause(int microseconds) {
        if (microseconds >= SLEEP_FROM_US) {
            LockSupport.parkNanos(microseconds * 1000L);
            return;
        }
        long until = System.nanoTime() + microseconds * 1000L;
        do {
            Thread.onSpinWait();
        } while (System.nanoTime() - until < 0);
    }

    /** Frees received frames that go nowhere. */
    void discard(int n) {
        Mempool.freeBulk(mbufs, 0, n);
    }

    /** Counts frames an engine gave up on. */
    void countDropped(int n) {
        dropped += n;
    }

    /** Ends a wait for room; any thread. */
    public void requestStop() {
        stopping = true;
    }

    /** Makes the stream usable again after {@link #requestStop}. */
    public void rearm() {
        stopping = false;
    }

    /** Changes how much is printed about received frames; any thread. */
    public void setVerbose(int level) {
        verbose = level;
    }

    /** The receiving port's number. */
    public int rxPort() {
        return rxPort;
    }

    /** The transmitting port's number. */
    public int txPort() {
        return txPort;
    }

    /** The queue's number. */
    public int queue() {
        return rxQueue;
    }

    /** The destination address for the modes that set one. */
    public long peerMac() {
        return peerMac;
    }

    /** Frames received since the stream was made. */
    public long rx() {
        return rx;
    }

    /** Frames the transmitting port took since the stream was made. */
    public long tx() {
        return tx;
    }

    /** Frames received with a wrong IPv4 header checksum, in mode csum. */
    public long badIp() {
        return badIp;
    }

    /** Frames received with a wrong UDP or TCP checksum, in mode csum. */
    public long badL4() {
        return badL4;
    }

    /** Frames given up since the stream was made. */
    public long dropped() {
        return dropped;
    }
}
