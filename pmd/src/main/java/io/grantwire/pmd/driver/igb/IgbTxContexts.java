package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbDescriptors.CONTEXT_IPV4;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.CONTEXT_L4LEN_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.CONTEXT_L4T_NONE;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.CONTEXT_L4T_TCP;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.CONTEXT_MACLEN_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.CONTEXT_VLAN_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_CONTEXT_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_DEXT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_DTYP_CONTEXT;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;

/**
 * The two offload contexts that the card keeps for a transmit queue (82576 datasheet 7.2.2.2): what
 * VLAN tag to insert, where the headers are, what they are. A frame names the context it needs; one
 * that the card has already costs no descriptor.
 *
 * <p>The queue's thread.
 */
final class IgbTxContexts {
    private static final long EMPTY = -1;

    private static final int TCP_HEADER = 20;
    private static final int UDP_HEADER = 8;

    /** What each context says, as {@link #key} has it. */
    private long first = EMPTY;

    private long second = EMPTY;

    /** The context used last; the other one is the next to be replaced. */
    private int current;

    /** The card has forgotten all. */
    void clear() {
        first = EMPTY;
        second = EMPTY;
        current = 0;
    }

    /**
     * What a frame needs: the context's first dword, the kinds of headers above it.
     *
     * @param flags the frame's requests, not all 0
     */
    static long key(int m, int flags) {
        long key = 0;
        if ((flags & Mbuf.TX_VLAN) != 0) {
            key = (long) Mbuf.vlanTci(m) << CONTEXT_VLAN_SHIFT;
        }
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            key |= Mbuf.txL2Len(m) << CONTEXT_MACLEN_SHIFT | Mbuf.txL3Len(m);
            long kinds =
                    (flags & Mbuf.TX_TCP_CKSUM) != 0
                            ? CONTEXT_L4T_TCP
                            : (flags & Mbuf.TX_UDP_CKSUM) != 0 ? 0 : CONTEXT_L4T_NONE;
            if ((flags & Mbuf.TX_IPV6) == 0) {
                kinds |= CONTEXT_IPV4;
            }
            key |= kinds << 32;
        } else {
            // MACLEN may not be less than 14, even when nothing depends on it.
            key |= (long) CONTEXT_L4T_NONE << 32 | EtherHeader.LENGTH << CONTEXT_MACLEN_SHIFT;
        }
        return key;
    }

    /** The context that says so already, 0 or 1, or -1: then {@link #replace} is next. */
    int find(long key) {
        if (first == key) {
            current = 0;
            return 0;
        }
        if (second == key) {
            current = 1;
            return 1;
        }
        return -1;
    }

    /** Gives the context used longest ago another content; the card is to be told. */
    int replace(long key) {
        current ^= 1;
        if (current == 0) {
            first = key;
        } else {
            second = key;
        }
        return current;
    }

    /** The first half of the descriptor that tells the card. */
    static long w0(long key) {
        return key & 0xFFFF_FFFFL;
    }

    /** The second half. */
    static long w1(long key, int context) {
        int kinds = (int) (key >>> 32);
        long l4Len = (kinds & CONTEXT_L4T_NONE) == CONTEXT_L4T_TCP ? TCP_HEADER : UDP_HEADER;
        return kinds
                | TX_DTYP_CONTEXT
                | TX_DEXT
                | (long) context << TX_CONTEXT_SHIFT
                | l4Len << CONTEXT_L4LEN_SHIFT;
    }
}
