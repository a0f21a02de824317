package io.grantwire.tools.testpmd.layout;

import io.grantwire.pmd.ethdev.EthStats;
import java.util.Locale;
import java.util.Map;

/** The statistics blocks, in testpmd's layout: programs and people pick values out of it. */
public final class StatsLayout {
    private static final String HASHES = "#".repeat(24);
    private static final String DASHES = "-".repeat(22);
    private static final String PLUSES = "+".repeat(15);

    /**
     * What a port did since forwarding started.
     *
     * @param rxPackets frames received
     * @param rxDropped frames the device had no room for
     * @param rxErrors bad frames received
     * @param rxNombuf receive attempts without a free buffer
     * @param txPackets frames transmitted
     * @param txDropped frames the forwarding engine gave up
     */
    public record Forward(
            long rxPackets,
            long rxDropped,
            long rxErrors,
            long rxNombuf,
            long txPackets,
            long txDropped) {
        /** The sums. */
        public Forward plus(Forward other) {
            return new Forward(
                    rxPackets + other.rxPackets,
                    rxDropped + other.rxDropped,
                    rxErrors + other.rxErrors,
                    rxNombuf + other.rxNombuf,
                    txPackets + other.txPackets,
                    txDropped + other.txDropped);
        }
    }

    private StatsLayout() {}

    /**
     * {@code show port stats}.
     *
     * @param rxPps frames received per second since the last show
     * @param txPps frames transmitted per second since the last show
     */
    public static String port(int id, EthStats s, long rxPps, long txPps) {
        return format("%n  %s NIC statistics for port %-2d %s%n", HASHES, id, HASHES)
                + format(
                        "  RX-packets: %-10d RX-missed: %-10d RX-bytes:  %d%n",
                        s.ipackets(), s.imissed(), s.ibytes())
                + format("  RX-errors: %d%n", s.ierrors())
                + format("  RX-nombuf:  %-10d%n", s.rxNombuf())
                + format(
                        "  TX-packets: %-10d TX-errors: %-10d TX-bytes:  %d%n",
                        s.opackets(), s.oerrors(), s.obytes())
                + format("%n  Throughput (since last show)%n")
                + format("  Rx-pps: %12d%n  Tx-pps: %12d%n", rxPps, txPps)
                + format("  %s%s%s%n", HASHES, "#".repeat(28), HASHES);
    }

    /** {@code show port xstats}. */
    public static String xstats(int id, Map<String, Long> values) {
        StringBuilder text = new StringBuilder();
        text.append(format("###### NIC extended statistics for port %-2d%n", id));
        values.forEach((name, value) -> text.append(format("%s: %d%n", name, value)));
        return text.toString();
    }

    /**
     * One queue's lines of {@code stop}, when a port has several.
     *
     * @param queue the queue of both ports
     */
    public static String stream(int rxPort, int txPort, int queue, long rx, long tx, long dropped) {
        return format(
                        "%n  ------- Forward Stats for RX Port=%2d/Queue=%2d -> TX Port=%2d/Queue=%2d"
                                + " -------%n",
                        rxPort, queue, txPort, queue)
                + format(
                        "  RX-packets: %-14d TX-packets: %-14d TX-dropped: %-14d%n",
                        rx, tx, dropped);
    }

    /** The line of {@code stop} about received checksums, in mode csum. */
    public static String badChecksums(long ip, long l4) {
        return format("  Bad-ipcsum: %-14d Bad-l4csum: %-14d %n", ip, l4);
    }

    /** One port's block of {@code stop}. */
    public static String forward(int id, Forward f) {
        return forward(id, f, "");
    }

    /**
     * One port's block of {@code stop}.
     *
     * @param checksums {@link #badChecksums}, or nothing
     */
    public static String forward(int id, Forward f, String checksums) {
        StringBuilder text = new StringBuilder();
        text.append(format("%n  %s Forward statistics for port %-2d %s%n", DASHES, id, DASHES));
        text.append(rxLine(f));
        text.append(checksums);
        if (f.rxErrors + f.rxNombuf > 0) {
            text.append(format("  RX-error: %d%n", f.rxErrors));
            text.append(format("  RX-nombufs: %-14d%n", f.rxNombuf));
        }
        text.append(txLine(f));
        text.append(format("  %s%s%s%n", DASHES, "-".repeat(32), DASHES));
        return text.toString();
    }

    /** The sums of {@code stop}. */
    public static String accumulated(Forward sum) {
        return format("%n  %s Accumulated forward statistics for all ports%s%n", PLUSES, PLUSES)
                + rxLine(sum)
                + txLine(sum)
                + format("  %s%s%s%n", PLUSES, "+".repeat(46), PLUSES);
    }

    private static String rxLine(Forward f) {
        return format(
                "  RX-packets: %-14d RX-dropped: %-14dRX-total: %d%n",
                f.rxPackets, f.rxDropped, f.rxPackets + f.rxDropped);
    }

    private static String txLine(Forward f) {
        return format(
                "  TX-packets: %-14d TX-dropped: %-14dTX-total: %d%n",
                f.txPackets, f.txDropped, f.txPackets + f.txDropped);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
