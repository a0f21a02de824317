package io.grantwire.pmd.driver.afpacket;

import io.grantwire.bindings.Mapping;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDriver;
import java.util.List;
import java.util.function.Supplier;

/**
 * {@code net_af_packet0,iface=veth0[,qpairs=1][,framesz=2048][,blocksz=65536][,framecnt=512]
 * [,qdisc_bypass=1]}: an interface of this kernel, through packet sockets whose rings are mapped
 * into this process. Options are those of DPDK's net_af_packet. Needs CAP_NET_RAW.
 *
 * <p>The device is promiscuous from the start, since it mostly serves as a switch's way out; turn
 * that off if only the interface's own frames are wanted.
 *
 * <p>Senders on this machine leave checksums and segmentation to the interface, which a packet
 * socket sees undone: for a veth pair type {@code ethtool -K IFACE tx off} on the other end.
 */
public final class AfPacketDriver implements EthDriver {
    private static final int MAX_QUEUES = 16;
    private static final int DEFAULT_FRAME = 2048;
    private static final int DEFAULT_BLOCK = 65_536;
    private static final int DEFAULT_FRAMES = 512;
    private static final int MIN_FRAME = 256;
    private static final int MAX_FRAME = 131_072;
    private static final int MAX_BLOCK = 1 << 22;
    private static final int MAX_FRAMES = 65_536;

    @Override
    public List<String> prefixes() {
        return List.of("net_af_packet", "eth_af_packet");
    }

    @Override
    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
        args.allowOnly("iface", "qpairs", "framesz", "blocksz", "framecnt", "qdisc_bypass");
        String iface = args.get("iface");
        if (iface == null || iface.isEmpty()) {
            throw new IllegalArgumentException(
                    "device " + args.name() + ": name the interface, as in iface=veth0");
        }
        int frame = args.getInt("framesz", DEFAULT_FRAME, MIN_FRAME, MAX_FRAME);
        int page = (int) Mapping.pageSize();
        int block = args.getInt("blocksz", Math.max(DEFAULT_BLOCK, frame), page, MAX_BLOCK);
        if (frame % 16 != 0 || block % page != 0 || frame > block) {
            throw new IllegalArgumentException(
                    "device "
                            + args.name()
                            + ": framesz must be a multiple of 16, blocksz one of "
                            + page
                            + " and no less than framesz");
        }
        int frames = args.getInt("framecnt", DEFAULT_FRAMES, 1, MAX_FRAMES);
        AfPacketDevice device =
                AfPacketDevice.open(
                        args.name(),
                        iface,
                        args.getInt("qpairs", 1, 1, MAX_QUEUES),
                        new PacketRingGeometry(frame, block, frames),
                        args.getFlag("qdisc_bypass", true));
        device.setPromiscuous(true);
        return device;
    }
}
