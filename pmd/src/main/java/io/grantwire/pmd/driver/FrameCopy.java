package io.grantwire.pmd.driver;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Copies a frame, however many mbufs it has, into one piece of memory, and inserts the VLAN tag
 * that the frame asks for ({@link Mbuf#TX_VLAN}): what a driver does that cannot hand the frame to
 * its device as it is. Nothing allocates; any thread that owns the frame.
 */
public final class FrameCopy {
    /** Bytes of a VLAN tag (IEEE 802.1Q). */
    public static final int TAG = 4;

    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** Where a tag goes: behind the two addresses. */
    private static final int MACS = EtherHeader.TYPE;

    private FrameCopy() {}

    /** Bytes that {@link #copy} will write. */
    public static int length(int m) {
        return Mbuf.pktLen(m) + ((Mbuf.olFlags(m) & Mbuf.TX_VLAN) != 0 ? TAG : 0);
    }

    /**
     * Copies a frame, which stays as it is.
     *
     * @param m a frame of at least {@link EtherHeader#LENGTH} bytes
     * @param to room for {@link #length} bytes at {@code at}
     */
    public static void copy(int m, MemorySegment to, long at) {
        boolean tag = (Mbuf.olFlags(m) & Mbuf.TX_VLAN) != 0;
        // With a tag, the frame goes 4 bytes further and its addresses move back again.
        long end = tag ? at + TAG : at;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            int n = Mbuf.dataLen(s);
            MemorySegment.copy(Mbuf.segment(s), Mbuf.offset(s), to, end, n);
            end += n;
        }
        if (tag) {
            MemorySegment.copy(to, at + TAG, to, at, MACS);
            putTag(to, at, EtherHeader.TYPE_VLAN, Mbuf.vlanTci(m));
        }
    }

    /** Writes a tag behind a frame's addresses; the rest of the frame follows it already. */
    public static void putTag(MemorySegment to, long frame, int tpid, int tci) {
        to.set(U16, frame + MACS, (short) tpid);
        to.set(U16, frame + MACS + 2, (short) tci);
    }
}
