package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device of {@link PcapDriver}: receives each frame of its input files once (or again and
 * again), and writes what is transmitted, with the time of transmission, to its output files.
 *
 * <p>Nothing is lost in silence. A frame that finds no mbuf waits for the next call. A packet of
 * the input that is no whole Ethernet frame is passed over and counted, as an error and by its
 * reason, and the first one is described in {@link #inputProblems}. When input is damaged or output
 * cannot be written, {@link #ioError} says so, the link goes down, and frames to transmit are not
 * accepted.
 *
 * <p>{@link #inputFinished}, {@link #ioError} and {@link #inputProblems} may be called by any
 * thread.
 */
public final class PcapDevice extends AbstractEthDevice {
    private static final Logger LOG = LoggerFactory.getLogger(PcapDevice.class);

    private final EthDeviceInfo info;
    private final List<PcapReader> readers;
    private final List<PcapWriter> writers;
    private final boolean infinite;

    // By queue number; what they count and how far they are outlives a new configuration.
    private final PcapRxQueue[] rx;
    private final PcapTxQueue[] tx;

    PcapDevice(String name, List<PcapReader> readers, List<PcapWriter> writers, boolean infinite) {
        super(name, addressFor(name));
        this.readers = readers;
        this.writers = writers;
        this.infinite = infinite;
        int rxQueues = Math.max(1, readers.size());
        int txQueues = Math.max(1, writers.size());
        this.rx = new PcapRxQueue[rxQueues];
        this.tx = new PcapTxQueue[txQueues];
        for (int i = 0; i < rxQueues; i++) {
            rx[i] = new PcapRxQueue(i < readers.size() ? readers.get(i) : null, infinite);
        }
        for (int i = 0; i < txQueues; i++) {
            tx[i] = new PcapTxQueue(i < writers.size() ? writers.get(i) : null);
        }
        this.info =
                new EthDeviceInfo(
                        "net_pcap",
                        rxQueues,
                        txQueues,
                        0,
                        65_535,
                        0,
                        65_535,
                        1,
                        PcapFormat.MAX_CAPTURED,
                        0,
                        PcapFormat.MAX_CAPTURED - EtherHeader.LENGTH,
                        1,
                        true,
                        true);
    }

    /** The letters "pcap" behind 02, and the number at the end of the name. */
    private static MacAddress addressFor(String name) {
        String digits = name.replaceAll("^.*?([0-9]{0,3})$", "$1");
        int number = digits.isEmpty() ? 0 : Integer.parseInt(digits);
        return new MacAddress(0x0270_6361_7000L | number & 0xFF);
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    /** Whether every frame of the input files has been received, or reading has failed. */
    public boolean inputFinished() {
        for (PcapRxQueue q : rx) {
            if (!q.finished()) {
                return false;
            }
        }
        return true;
    }

    /** What went wrong with reading or writing, in one line; empty while nothing did. */
    public Optional<String> ioError() {
        for (PcapRxQueue q : rx) {
            if (q.error() != null) {
                return Optional.of(q.error());
            }
        }
        for (PcapTxQueue q : tx) {
            if (q.error() != null) {
                return Optional.of(q.error());
            }
        }
        return Optional.empty();
    }

    /** The first packet passed over of each input file, in one line each; usually none. */
    public List<String> inputProblems() {
        List<String> problems = new ArrayList<>();
        for (PcapRxQueue q : rx) {
            if (q.problem() != null) {
                problems.add(q.problem());
            }
        }
        return problems;
    }

    /**
     * Writes out what was transmitted so far. Only while no thread transmits.
     *
     * @return false when {@link #ioError} is set
     */
    public boolean flush() {
        boolean good = true;
        for (PcapTxQueue q : tx) {
            good &= q.flush();
        }
        return good;
    }

    @Override
    protected void doConfigure(EthConfig config) {}

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        rx[queue].setUp(pool, rxCounters(queue));
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        tx[queue].setUp(txCounters(queue));
    }

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {
        flush();
        report();
    }

    private void report() {
        inputProblems().forEach(p -> LOG.warn("device {}: {}", name(), p));
        ioError().ifPresent(e -> LOG.error("device {}: {}", name(), e));
    }

    @Override
    protected void doClose() {
        boolean good = ioError().isEmpty();
        readers.forEach(PcapReader::close);
        for (PcapTxQueue q : tx) {
            q.close();
        }
        if (good) {
            ioError().ifPresent(e -> LOG.error("device {}: {}", name(), e));
        }
    }

    @Override
    protected void doSetPromiscuous(boolean on) {
        // A file has no filter: all its frames are received anyway.
    }

    @Override
    protected void doSetAllMulticast(boolean on) {}

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        return started() ? rx[queue].receive(mbufs, offset, count) : 0;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return started() ? tx[queue].transmit(mbufs, offset, count) : 0;
    }

    @Override
    protected void addXstats(Map<String, Long> xstats) {
        long truncated = 0;
        long foreign = 0;
        long runts = 0;
        for (PcapRxQueue q : rx) {
            truncated += q.truncated();
            foreign += q.foreign();
            runts += q.runts();
        }
        xstats.put("rx_truncated_errors", truncated);
        xstats.put("rx_link_type_errors", foreign);
        xstats.put("rx_runt_errors", runts);
    }

    @Override
    public EthLink link() {
        return new EthLink(started() && ioError().isEmpty(), 10_000, true);
    }
}
