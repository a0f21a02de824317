package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.tools.testpmd.command.CommandException;
import java.util.EnumSet;
import java.util.Set;

/**
 * How a port's device is to be configured the next time it starts. Begins with what the command
 * line says; commands change it. Used by the command thread.
 */
final class PortSettings {
    /** Ethernet header and CRC. */
    static final int OVERHEAD = 14 + 4;

    /** The longest frame that every device takes, CRC included. */
    static final int USUAL_PKT_LEN = 1518;

    private static final Set<RssType> RSS_IP = EnumSet.of(RssType.IPV4, RssType.IPV6);
    private static final Set<RssType> RSS_UDP = EnumSet.of(RssType.UDP_IPV4, RssType.UDP_IPV6);
    private static final Set<RssType> RSS_TCP = EnumSet.of(RssType.TCP_IPV4, RssType.TCP_IPV6);

    private final EthDevice device;
    private final int dataRoom;
    private final EnumSet<EthOffload> offloads = EnumSet.noneOf(EthOffload.class);
    private RssConfig rss = RssConfig.OFF;
    private boolean rssChosen;
    private int mtu;

    int rxQueues;
    int txQueues;
    int rxDesc;
    int txDesc;

    /** The tag that the device puts onto frames, -1 for none. */
    private int txVlan = -1;

    PortSettings(EthDevice device, TestpmdOptions options) {
        this.device = device;
        this.dataRoom = options.mbufSize - io.grantwire.pmd.mbuf.Mempool.HEADROOM;
        rxQueues = options.rxq;
        txQueues = options.txq;
        rxDesc = options.rxd;
        txDesc = options.txd;
        EthCapabilities can = device.capabilities();
        offload(EthOffload.RX_CHECKSUM, options.enableRxCksum);
        offload(EthOffload.RX_VLAN_STRIP, options.enableHwVlanStrip || options.enableHwVlan);
        offload(EthOffload.RX_VLAN_FILTER, options.enableHwVlanFilter || options.enableHwVlan);
        offload(EthOffload.RX_SCATTER, options.enableScatter);
        offload(EthOffload.TX_MULTI_SEGS, can.offloads().contains(EthOffload.TX_MULTI_SEGS));
        if (options.maxPktLen > USUAL_PKT_LEN) {
            mtu = options.maxPktLen - OVERHEAD;
        }
        if (options.disableRss) {
            rssChosen = true;
        } else if (options.rssIp || options.rssUdp) {
            // As in DPDK, a port that cannot goes without; the command is stricter.
            rss =
                    new RssConfig(
                            intersection(options.rssUdp ? RSS_UDP : RSS_IP, can.rssTypes()),
                            new byte[0]);
            rssChosen = true;
        }
    }

    /** What the device is asked for. */
    EthConfig config() {
        EnumSet<EthOffload> all = EnumSet.copyOf(offloads);
        EthCapabilities can = device.capabilities();
        int longest = (mtu == 0 ? USUAL_PKT_LEN - OVERHEAD : mtu) + OVERHEAD - 4;
        if (longest > dataRoom && can.offloads().contains(EthOffload.RX_SCATTER)) {
            all.add(EthOffload.RX_SCATTER);
        }
        return new EthConfig(rxQueues, txQueues, mtu, all, spread(can), 0);
    }

    /** As testpmd: several queues share IP packets out unless told otherwise. */
    private RssConfig spread(EthCapabilities can) {
        if (rssChosen) {
            return rxQueues > 1 ? rss : RssConfig.OFF;
        }
        return rxQueues > 1
                ? new RssConfig(intersection(RSS_IP, can.rssTypes()), new byte[0])
                : RssConfig.OFF;
    }

    /**
     * Chooses what RSS hashes.
     *
     * @param what all, default, ip, tcp, udp or none
     * @return the choice, with the key that is in use
     */
    RssConfig chooseRss(String what) {
        Set<RssType> can = device.capabilities().rssTypes();
        Set<RssType> wanted =
                switch (what) {
                    case "all" -> EnumSet.allOf(RssType.class);
                    case "udp" -> RSS_UDP;
                    case "tcp" -> RSS_TCP;
                    case "none" -> Set.of();
                    default -> RSS_IP;
                };
        Set<RssType> types = intersection(wanted, can);
        if (types.isEmpty() && !wanted.isEmpty()) {
            throw new CommandException(
                    device.name()
                            + " cannot spread "
                            + (what.equals("all") ? "frames over queues" : what + " packets"));
        }
        rss = new RssConfig(types, rss.key());
        rssChosen = true;
        return rss;
    }

    /** Takes note of a spread that the device has accepted. */
    void noteRss(RssConfig accepted) {
        rss = accepted;
        rssChosen = true;
    }

    private static Set<RssType> intersection(Set<RssType> a, Set<RssType> b) {
        EnumSet<RssType> both = EnumSet.noneOf(RssType.class);
        a.stream().filter(b::contains).forEach(both::add);
        return both;
    }

    /** Turns an offload on or off. */
    void offload(EthOffload offload, boolean on) {
        if (on) {
            offloads.add(offload);
        } else {
            offloads.remove(offload);
        }
    }

    /** Whether an offload is on. */
    boolean has(EthOffload offload) {
        return offloads.contains(offload);
    }

    /** Turns an offload on if the device has it. */
    void require(EthOffload offload, String what) {
        if (!device.capabilities().offloads().contains(offload)) {
            throw new CommandException(what + " is not supported by " + device.name());
        }
        offloads.add(offload);
    }

    void setMtu(int bytes) {
        mtu = bytes;
    }

    /** Has the device tag frames; -1 for no more. */
    void setTxVlan(int vlan) {
        txVlan = vlan;
        offload(EthOffload.TX_VLAN_INSERT, vlan >= 0);
    }

    int txVlan() {
        return txVlan;
    }

    /** The checksums that the device fills in, as flags of an mbuf. */
    int txChecksums() {
        return (has(EthOffload.TX_IPV4_CKSUM) ? Mbuf.TX_IP_CKSUM : 0)
                | (has(EthOffload.TX_UDP_CKSUM) ? Mbuf.TX_UDP_CKSUM : 0)
                | (has(EthOffload.TX_TCP_CKSUM) ? Mbuf.TX_TCP_CKSUM : 0);
    }
}
