package io.grantwire.vswitch.forward;

import io.grantwire.bindings.raw.HostMemory;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Whose is a frame from the wire: a device gets it when it has the destination address and is in
 * the frame's VLAN, both, as the original's NIC filter had it. In software, so that any uplink will
 * do; and for the rest, where a card sorts.
 */
final class WireClassifier {
    /** Instead of a token: the frame is nobody's. */
    static final int NOBODY = Integer.MIN_VALUE;

    private static final ValueLayout.OfInt BE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final MemorySegment ALL = HostMemory.ALL;
    private static final int TAG = 4;
    private static final int VID_MASK = 0xfff;

    private final boolean strip;
    private final boolean flood;

    WireClassifier(ForwardingRules rules) {
        strip = rules.vlanStrip();
        flood = rules.flood();
    }

    /**
     * Finds a frame's destination, and takes its tag off or, when the device did that already and
     * it is to stay on, puts it back.
     *
     * @param counters counts the frame when it is nobody's
     * @return a token, or {@link #NOBODY}
     */
    int classify(int m, Topology topology, FrameCounters counters) {
        int len = Mbuf.dataLen(m);
        if (len < EtherHeader.LENGTH) {
            return drop(counters, DropReason.FRAME_TOO_SHORT);
        }
        // The mbuf is ours, and all that is touched lies within its first 18 bytes.
        long at = Mbuf.segment(m).address() + Mbuf.offset(m);
        long first8 = ALL.get(BE64, at);
        int tag = 0;
        boolean inFrame = true;
        if ((Mbuf.olFlags(m) & Mbuf.RX_VLAN_STRIPPED) != 0) {
            tag = EtherHeader.TYPE_VLAN << 16 | Mbuf.vlanTci(m);
            inFrame = false;
        } else if (len >= EtherHeader.LENGTH + TAG) {
            tag = ALL.get(BE32, at + EtherHeader.TYPE);
        }
        if (tag >>> 16 != EtherHeader.TYPE_VLAN) {
            return drop(counters, DropReason.UNTAGGED);
        }
        long mac = first8 >>> 16;
        int number;
        if ((mac & MacAddress.GROUP_BIT) != 0) {
            if (!flood) {
                return drop(counters, DropReason.MULTICAST);
            }
            number = (tag & VID_MASK) - ForwardingRules.FIRST_VLAN;
            if (number < 0 || number >= topology.devices.length) {
                return drop(counters, DropReason.MULTICAST);
            }
        } else {
            number = topology.macs.find(mac);
            if (number < 0) {
                return drop(counters, DropReason.UNKNOWN_MAC);
            }
        }
        GuestDevice device = topology.devices[number];
        if (device == null) {
            return drop(counters, DropReason.MULTICAST);
        }
        if ((tag & VID_MASK) != device.vlan()) {
            return drop(counters, DropReason.VLAN_MISMATCH);
        }
        if (inFrame && strip) {
            // Addresses move up to the type; the copy to the guest comes a burst later.
            int rest = ALL.get(BE32, at + 8);
            ALL.set(BE64, at + TAG, first8);
            ALL.set(BE32, at + TAG + 8, rest);
            Mbuf.adj(m, TAG);
        } else if (!inFrame && !strip) {
            insertTag(m, first8, tag);
        }
        return device.token;
    }

    /**
     * Whether a frame that a card has sorted is the device's indeed: what came before the pool was
     * the device's is not. Puts the tag back where it is to stay on.
     */
    boolean accept(int m, GuestDevice device) {
        if ((Mbuf.olFlags(m) & Mbuf.RX_VLAN_STRIPPED) == 0
                || Mbuf.dataLen(m) < EtherHeader.LENGTH) {
            return false;
        }
        long first8 = ALL.get(BE64, Mbuf.segment(m).address() + Mbuf.offset(m));
        int tci = Mbuf.vlanTci(m);
        if (first8 >>> 16 != device.mac() || (tci & VID_MASK) != device.vlan()) {
            return false;
        }
        if (!strip) {
            insertTag(m, first8, EtherHeader.TYPE_VLAN << 16 | tci);
        }
        return true;
    }

    /**
     * Puts a tag behind the addresses of a frame of at least 12 bytes in its first mbuf.
     *
     * @param first8 the frame's first eight bytes
     * @param tag type and control information
     */
    static void insertTag(int m, long first8, int tag) {
        long at = Mbuf.segment(m).address() + Mbuf.offset(m);
        if (!Mbuf.prepend(m, TAG)) {
            return;
        }
        int rest = ALL.get(BE32, at + 8);
        ALL.set(BE64, at - TAG, first8);
        ALL.set(BE32, at - TAG + 8, rest);
        ALL.set(BE32, at - TAG + EtherHeader.TYPE, tag);
    }

    private static int drop(FrameCounters counters, DropReason reason) {
        counters.drop(reason, 1);
        return NOBODY;
    }
}
