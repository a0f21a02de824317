package io.grantwire.pmd.net;

import static io.grantwire.pmd.net.EtherHeader.BE16;
import static io.grantwire.pmd.net.EtherHeader.BE32;
import static io.grantwire.pmd.net.EtherHeader.BE64;

import io.grantwire.pmd.mbuf.Mbuf;
import java.lang.foreign.MemorySegment;

/**
 * The IEEE 802.1Q tag: after the two addresses, type 0x8100 and 2 bytes of tag control information
 * (TCI): priority 3 bits, drop eligible 1 bit, VLAN id 12 bits.
 *
 * <p>Static; no allocation; the mbuf's owner calls.
 */
public final class VlanTag {
    /** Bytes that a tag adds to a frame. */
    public static final int LENGTH = 4;

    /** Offset of the TCI from the frame's first byte. */
    public static final int TCI = 14;

    /** Offset of the type behind the tag from the frame's first byte. */
    public static final int INNER_TYPE = 16;

    /** The VLAN id's bits in a TCI. */
    public static final int ID_MASK = 0xFFF;

    private static final long TAG = (long) EtherHeader.TYPE_VLAN << 16;

    private VlanTag() {}

    /** The VLAN id in a TCI. */
    public static int id(int tci) {
        return tci & ID_MASK;
    }

    /** The priority in a TCI, 0 to 7. */
    public static int priority(int tci) {
        return tci >>> 13 & 7;
    }

    /** The TCI of a tagged frame, of which 16 bytes must be there. */
    public static int tci(MemorySegment s, long frame) {
        return s.get(BE16, frame + TCI) & 0xFFFF;
    }

    /** The type behind the tag of a tagged frame, of which 18 bytes must be there. */
    public static int innerType(MemorySegment s, long frame) {
        return s.get(BE16, frame + INNER_TYPE) & 0xFFFF;
    }

    /** Whether the first mbuf of the frame has a tag, whole. */
    public static boolean isTagged(int mbuf) {
        return Mbuf.dataLen(mbuf) >= EtherHeader.LENGTH + LENGTH
                && EtherHeader.type(Mbuf.segment(mbuf), Mbuf.offset(mbuf)) == EtherHeader.TYPE_VLAN;
    }

    /**
     * Inserts a tag by moving the addresses 4 bytes into the headroom.
     *
     * @return false, and nothing changed, when the headroom or the frame is too short
     */
    public static boolean insert(int mbuf, int tci) {
        if (Mbuf.dataLen(mbuf) < EtherHeader.LENGTH || !Mbuf.prepend(mbuf, LENGTH)) {
            return false;
        }
        MemorySegment s = Mbuf.segment(mbuf);
        long frame = Mbuf.offset(mbuf);
        // The 12 bytes of the addresses, in ascending order: the places overlap.
        long head = s.get(BE64, frame + LENGTH);
        int tail = s.get(BE32, frame + LENGTH + 8);
        s.set(BE64, frame, head);
        s.set(BE32, frame + 8, tail);
        s.set(BE32, frame + EtherHeader.TYPE, (int) (TAG | tci & 0xFFFF));
        return true;
    }

    /**
     * Takes the tag off, and leaves its TCI in {@link Mbuf#vlanTci} with {@link Mbuf#RX_VLAN} and
     * {@link Mbuf#RX_VLAN_STRIPPED} set.
     *
     * @return false, and nothing changed, when there is none
     */
    public static boolean strip(int mbuf) {
        if (!isTagged(mbuf)) {
            return false;
        }
        MemorySegment s = Mbuf.segment(mbuf);
        long frame = Mbuf.offset(mbuf);
        int tci = tci(s, frame);
        long head = s.get(BE64, frame);
        int tail = s.get(BE32, frame + 8);
        s.set(BE64, frame + LENGTH, head);
        s.set(BE32, frame + LENGTH + 8, tail);
        Mbuf.adj(mbuf, LENGTH);
        Mbuf.setVlanTci(mbuf, tci);
        Mbuf.setOlFlags(mbuf, Mbuf.olFlags(mbuf) | Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED);
        return true;
    }
}
