package io.grantwire.tools.testpmd.layout;

import io.grantwire.pmd.net.MacAddress;
import java.util.List;

/** What {@code start} and {@code show config} print, in testpmd's layout. */
public final class ForwardLayout {
    /**
     * A receive queue and the transmit queue its frames go to.
     *
     * @param peer destination address of the transmitting port's frames
     */
    public record StreamLine(int rxPort, int txPort, int queue, long peer) {}

    /** The streams of one lcore. */
    public record CoreLine(int lcore, List<StreamLine> streams) {}

    /** The settings of the ports' queues and of the forwarding. */
    public record Settings(
            String mode,
            boolean retry,
            int retryNum,
            int retryDelayUs,
            int burst,
            boolean generates,
            int packetLength,
            int segments,
            int cores,
            int ports,
            int rxQueues,
            int rxDesc,
            int txQueues,
            int txDesc) {}

    private ForwardLayout() {}

    /** The line about the forwarding, and who forwards what. */
    public static String forwarding(Settings s, List<CoreLine> cores) {
        StringBuilder text = new StringBuilder();
        int streams = cores.stream().mapToInt(core -> core.streams().size()).sum();
        text.append(s.mode()).append(" packet forwarding").append(withRetry(s));
        text.append(" - ports=").append(s.ports());
        text.append(" - cores=").append(s.cores());
        text.append(" - streams=").append(streams);
        text.append(" - NUMA support disabled, MP over anonymous pages disabled\n");
        if (s.retry()) {
            text.append("TX retry num: ").append(s.retryNum());
            text.append(", delay between TX retries: ").append(s.retryDelayUs()).append("us\n");
        }
        for (CoreLine core : cores) {
            text.append("Logical Core ").append(core.lcore());
            text.append(" (socket 0) forwards packets on ");
            text.append(core.streams().size()).append(" streams:");
            for (StreamLine stream : core.streams()) {
                text.append("\n  RX P=").append(stream.rxPort());
                text.append("/Q=").append(stream.queue());
                text.append(" (socket 0) -> TX P=").append(stream.txPort());
                text.append("/Q=").append(stream.queue());
                text.append(" (socket 0) peer=");
                text.append(InfoLayout.mac(MacAddress.format(stream.peer())));
            }
            text.append('\n');
        }
        return text.append('\n').toString();
    }

    /** The block about bursts, queues and descriptors. */
    public static String rxtx(Settings s) {
        StringBuilder text = new StringBuilder();
        text.append("  ").append(s.mode()).append(" packet forwarding").append(withRetry(s));
        text.append(" - CRC stripping enabled - packets/burst=").append(s.burst()).append('\n');
        if (s.generates()) {
            text.append("  packet len=").append(s.packetLength());
            text.append(" - nb packet segments=").append(s.segments()).append('\n');
        }
        text.append("  nb forwarding cores=").append(s.cores());
        text.append(" - nb forwarding ports=").append(s.ports()).append('\n');
        text.append("  RX queues=").append(s.rxQueues());
        text.append(" - RX desc=").append(s.rxDesc()).append(" - RX free threshold=0\n");
        text.append("  RX threshold registers: pthresh=0 hthresh=0 wthresh=0\n");
        text.append("  TX queues=").append(s.txQueues());
        text.append(" - TX desc=").append(s.txDesc()).append(" - TX free threshold=0\n");
        text.append("  TX threshold registers: pthresh=0 hthresh=0 wthresh=0\n");
        text.append("  TX RS bit threshold=0 - TXQ flags=0x0\n");
        return text.toString();
    }

    private static String withRetry(Settings s) {
        return s.retry() ? " with retry" : "";
    }
}
