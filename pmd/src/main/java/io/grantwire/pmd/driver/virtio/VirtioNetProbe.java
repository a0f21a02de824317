package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.vfio.DmaSpace;
import java.util.EnumSet;
import java.util.Set;

/** What a device can do, from what it offers and says of itself. Control path, at probe. */
final class VirtioNetProbe {
    /** Bytes of a frame beside its payload, a tag included. */
    static final int HEADERS = EtherHeader.LENGTH + VlanTag.LENGTH;

    static final int MIN_DESC = 64;

    private static final int MIN_MTU = 68;
    private static final int MAX_MTU = 9216;
    private static final int MAX_PAIRS = 16;

    private final VirtioPciTransport transport;
    private final long offered;

    VirtioNetProbe(VirtioPciTransport transport, long offered) {
        this.transport = transport;
        this.offered = offered;
    }

    /** Whether a feature is offered, and the driver can use it. */
    boolean has(long feature) {
        return (VirtioFeatures.choose(offered, ~0L) & feature) != 0;
    }

    /**
     * Why the device cannot be driven; null when it can.
     *
     * @param dma how it reaches memory
     */
    String obstacle(DmaSpace dma) {
        if ((offered & VirtioFeatures.VERSION_1) == 0) {
            return "it has the legacy interface only";
        }
        // Without it the device uses the machine's own addresses, past the IOMMU (section 6.1):
        // ours would be somebody else's memory.
        if ((offered & VirtioFeatures.ACCESS_PLATFORM) == 0
                && dma.contiguousBytes() == Long.MAX_VALUE) {
            return "the device goes past the IOMMU; with QEMU give it iommu_platform=on, or bind it"
                    + " to uio_pci_generic";
        }
        int rx = transport.queueSize(0);
        int tx = transport.queueSize(1);
        return rx < MIN_DESC || tx < MIN_DESC
                ? "its queues have " + rx + " and " + tx + " entries, less than " + MIN_DESC
                : null;
    }

    EthDeviceInfo info(DmaSpace dma) {
        int largest = VirtioQueueMemory.largest(dma);
        int rxMost = powerOfTwo(Math.min(largest, transport.queueSize(0)));
        int txMost = powerOfTwo(Math.min(largest, transport.queueSize(1)));
        int pairs =
                has(VirtioFeatures.MQ) ? VirtioNetConfig.pairs(transport, offered, MAX_PAIRS) : 1;
        int mtu = VirtioNetConfig.mtu(transport, offered, MIN_MTU, MAX_MTU);
        return new EthDeviceInfo(
                VirtioNetDevice.NAME,
                pairs,
                pairs,
                MIN_DESC,
                rxMost,
                MIN_DESC,
                txMost,
                1,
                mtu + HEADERS,
                MIN_MTU,
                mtu,
                has(VirtioFeatures.CTRL_RX) ? VirtioControlQueue.MAX_ADDRESSES + 1 : 1,
                true,
                false);
    }

    /** Tags and IPv4 checksums are done by the driver, and so are there always. */
    EthCapabilities capabilities() {
        Set<EthOffload> can =
                EnumSet.of(
                        EthOffload.RX_VLAN_STRIP,
                        EthOffload.TX_VLAN_INSERT,
                        EthOffload.TX_IPV4_CKSUM,
                        EthOffload.TX_MULTI_SEGS);
        if (has(VirtioFeatures.MRG_RXBUF)) {
            can.add(EthOffload.RX_SCATTER);
        }
        if (has(VirtioFeatures.CSUM)) {
            can.add(EthOffload.TX_TCP_CKSUM);
            can.add(EthOffload.TX_UDP_CKSUM);
        }
        if (has(VirtioFeatures.GUEST_CSUM)) {
            can.add(EthOffload.RX_CHECKSUM);
        }
        boolean vlans = has(VirtioFeatures.CTRL_VLAN);
        if (vlans) {
            can.add(EthOffload.RX_VLAN_FILTER);
        }
        return new EthCapabilities(can, Set.of(), 0, 0, 0, vlans ? VlanTag.ID_MASK + 1 : 0);
    }

    /** The largest power of two up to a number; 0 for less than 1. */
    static int powerOfTwo(int atMost) {
        return atMost < 1 ? 0 : Integer.highestOneBit(atMost);
    }
}
