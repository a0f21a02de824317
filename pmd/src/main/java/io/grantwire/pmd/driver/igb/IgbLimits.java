package io.grantwire.pmd.driver.igb;

import io.grantwire.pmd.driver.pci.RingMemory;
import io.grantwire.pmd.driver.pci.RssKey;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.vfio.DmaSpace;
import java.util.EnumSet;

/** Numbers of the family, and what it can do. */
final class IgbLimits {
    static final int CRC = 4;
    static final int DEFAULT_MTU = 1500;
    static final int MIN_MTU = 68;

    /** As in Linux's and DPDK's igb, for all cards of the family. */
    static final int MAX_MTU = 9216;

    /** SRRCTL counts a buffer's bytes in this unit. */
    static final int BUFFER_UNIT = 1024;

    static final int MAX_BUFFER = 16 * 1024;

    private static final int MIN_DESC = 32;
    private static final int MAX_DESC = 4096;

    /** RDLEN and TDLEN are multiples of 128 bytes. */
    private static final int DESC_ALIGN = 8;

    private IgbLimits() {}

    /** Bytes of a frame with a tag, without CRC. */
    static int frame(int mtu) {
        return EtherHeader.LENGTH + VlanTag.LENGTH + mtu;
    }

    /** What a card is; rings are no longer than what it finds in one piece. */
    static EthDeviceInfo info(IgbModel model, DmaSpace dma) {
        int maxDesc = RingMemory.longest(dma, IgbDescriptors.SIZE, MAX_DESC);
        return new EthDeviceInfo(
                "net_e1000_igb",
                model.queues(),
                model.queues(),
                MIN_DESC,
                maxDesc,
                MIN_DESC,
                maxDesc,
                DESC_ALIGN,
                frame(MAX_MTU),
                MIN_MTU,
                MAX_MTU,
                model.addresses(),
                true,
                false);
    }

    /** What all cards of the family can do. */
    static EthCapabilities capabilities() {
        return new EthCapabilities(
                EnumSet.allOf(EthOffload.class),
                EnumSet.allOf(RssType.class),
                IgbRss.TABLE_SIZE,
                RssKey.SIZE,
                IgbModel.POOLS,
                IgbFilters.VLANS);
    }
}
