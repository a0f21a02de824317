package io.grantwire.pmd.mbuf;

import static io.grantwire.pmd.mbuf.MbufLayout.BUFFER;
import static io.grantwire.pmd.mbuf.MbufLayout.BUFFER_ALIGN_SHIFT;
import static io.grantwire.pmd.mbuf.MbufLayout.EMPTY;
import static io.grantwire.pmd.mbuf.MbufLayout.FLAGS;
import static io.grantwire.pmd.mbuf.MbufLayout.GEOMETRY;
import static io.grantwire.pmd.mbuf.MbufLayout.INDEX_MASK;
import static io.grantwire.pmd.mbuf.MbufLayout.IN_POOL;
import static io.grantwire.pmd.mbuf.MbufLayout.LOW16;
import static io.grantwire.pmd.mbuf.MbufLayout.LOW32;
import static io.grantwire.pmd.mbuf.MbufLayout.NO_FLAGS;
import static io.grantwire.pmd.mbuf.MbufLayout.SHIFT;
import static io.grantwire.pmd.mbuf.MbufLayout.SINGLE;
import static io.grantwire.pmd.mbuf.MbufLayout.SLOT_SHIFT;
import static io.grantwire.pmd.mbuf.MbufLayout.STATE;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What can be done with an mbuf, a packet buffer from a {@link Mempool}. An mbuf is an {@code int}:
 * 0 is none, anything else is a handle that {@link Mempool#alloc} gave out.
 *
 * <p>A frame is one mbuf or a chain of them. The first one carries the frame's properties ({@link
 * #pktLen}, {@link #nbSegs}, {@link #port}, {@link #vlanTci}, {@link #olFlags}); every one has its
 * own {@link #dataLen}, and {@link #next} names the following one.
 *
 * <p>Threads: an mbuf belongs to one thread at a time; it changes hands through a ring, with its
 * metadata. Only {@link #retain} and {@link #free} may be called by several owners at once. Nothing
 * here allocates, blocks, or checks that a handle is in use, except where said; a handle after its
 * free is the caller's error, and {@link #free} catches the common ones.
 */
public final class Mbuf {
    /** {@link #port} of a frame that no device received. */
    public static final int NO_PORT = 0xFFFF;

    /** {@link #olFlags}: received with a VLAN tag, whose TCI is in {@link #vlanTci}. */
    public static final int RX_VLAN = 1;

    /** {@link #olFlags}: and the tag has been taken off the frame. */
    public static final int RX_VLAN_STRIPPED = 1 << 6;

    /** {@link #olFlags}: {@link #hash} is the device's RSS hash. */
    public static final int RX_RSS_HASH = 1 << 1;

    /** {@link #olFlags}: the device found the TCP or UDP checksum wrong. */
    public static final int RX_L4_CKSUM_BAD = 1 << 3;

    /** {@link #olFlags}: the device found the IPv4 header checksum wrong. */
    public static final int RX_IP_CKSUM_BAD = 1 << 4;

    /** {@link #olFlags}: the device found the IPv4 header checksum right. */
    public static final int RX_IP_CKSUM_GOOD = 1 << 7;

    /** {@link #olFlags}: the device found the TCP or UDP checksum right. */
    public static final int RX_L4_CKSUM_GOOD = 1 << 8;

    /** {@link #olFlags}: the device is asked to insert a VLAN tag with {@link #vlanTci}. */
    public static final int TX_VLAN = 1 << 25;

    /** {@link #olFlags}: the device is asked for the IPv4 header checksum. */
    public static final int TX_IP_CKSUM = 1 << 26;

    /** {@link #olFlags}: the device is asked for the TCP checksum. */
    public static final int TX_TCP_CKSUM = 1 << 27;

    /** {@link #olFlags}: the device is asked for the UDP checksum. */
    public static final int TX_UDP_CKSUM = 1 << 28;

    /** {@link #olFlags}: the packet whose checksums are asked for is IPv4. */
    public static final int TX_IPV4 = 1 << 29;

    /** {@link #olFlags}: the packet whose checksums are asked for is IPv6. */
    public static final int TX_IPV6 = 1 << 30;

    /** {@link #olFlags}: all checksum requests. */
    public static final int TX_CKSUM_MASK = TX_IP_CKSUM | TX_TCP_CKSUM | TX_UDP_CKSUM;

    private static final VarHandle LONG = MethodHandles.arrayElementVarHandle(long[].class);

    private Mbuf() {}

    private static long[] meta(int m) {
        return Pools.META[m >>> SLOT_SHIFT];
    }

    private static int at(int m) {
        return (m & INDEX_MASK) << SHIFT;
    }

    // Where the bytes are.

    /** The memory of the mbuf's pool. */
    public static MemorySegment segment(int m) {
        return Pools.SEGMENT[m >>> SLOT_SHIFT];
    }

    /** Offset of the first data byte in {@link #segment}. */
    public static long offset(int m) {
        long[] meta = meta(m);
        int at = at(m);
        return ((meta[at + BUFFER] & LOW32) << BUFFER_ALIGN_SHIFT) + (meta[at + GEOMETRY] & LOW16);
    }

    /** Offset of the buffer, headroom first, in {@link #segment}. */
    public static long bufferOffset(int m) {
        return (meta(m)[at(m) + BUFFER] & LOW32) << BUFFER_ALIGN_SHIFT;
    }

    /** Bytes of the buffer: headroom and data room. */
    public static int bufferLength(int m) {
        return Mempool.HEADROOM + Mempool.of(m).dataRoom();
    }

    // Lengths.

    /** Bytes of data in this mbuf. */
    public static int dataLen(int m) {
        return (int) (meta(m)[at(m) + GEOMETRY] >>> 16 & LOW16);
    }

    /** Bytes of data in the whole frame; kept in its first mbuf. */
    public static int pktLen(int m) {
        return (int) (meta(m)[at(m) + GEOMETRY] >>> 32);
    }

    /** Sets this mbuf's bytes of data, 0 to 65535; the caller knows that they fit. */
    public static void setDataLen(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + GEOMETRY;
        meta[i] = meta[i] & ~(LOW16 << 16) | (n & LOW16) << 16;
    }

    /** Sets the whole frame's bytes of data. */
    public static void setPktLen(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + GEOMETRY;
        meta[i] = meta[i] & LOW32 | (long) n << 32;
    }

    /** Sets {@link #dataLen} and {@link #pktLen} of a frame of one mbuf. */
    public static void setLen(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + GEOMETRY;
        meta[i] = (long) n << 32 | (n & LOW16) << 16 | meta[i] & LOW16;
    }

    /** Bytes between the buffer's start and the data. */
    public static int headroom(int m) {
        return (int) (meta(m)[at(m) + GEOMETRY] & LOW16);
    }

    /** Bytes between the data and the buffer's end. */
    public static int tailroom(int m) {
        return bufferLength(m) - headroom(m) - dataLen(m);
    }

    /** Moves the data's start to {@code n} bytes after the buffer's start; lengths stay. */
    public static void setHeadroom(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + GEOMETRY;
        meta[i] = meta[i] & ~LOW16 | n & LOW16;
    }

    /**
     * Makes room for {@code n} bytes before the frame's data.
     *
     * @return false, and nothing changed, when the headroom is smaller
     */
    public static boolean prepend(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + GEOMETRY;
        long g = meta[i];
        if (n < 0 || n > (int) (g & LOW16)) {
            return false;
        }
        meta[i] = g + ((long) n << 32) + ((long) n << 16) - n;
        return true;
    }

    /**
     * Makes room for {@code n} bytes after the frame's data, in its last mbuf.
     *
     * @return false, and nothing changed, when the tailroom there is smaller
     */
    public static boolean append(int m, int n) {
        int last = lastSegment(m);
        if (n < 0 || n > tailroom(last)) {
            return false;
        }
        setDataLen(last, dataLen(last) + n);
        setPktLen(m, pktLen(m) + n);
        return true;
    }

    /**
     * Takes {@code n} bytes off the front of the first mbuf.
     *
     * @return false, and nothing changed, when it has fewer
     */
    public static boolean adj(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + GEOMETRY;
        long g = meta[i];
        if (n < 0 || n > (int) (g >>> 16 & LOW16)) {
            return false;
        }
        meta[i] = g - ((long) n << 32) - ((long) n << 16) + n;
        return true;
    }

    /**
     * Takes {@code n} bytes off the end of the last mbuf.
     *
     * @return false, and nothing changed, when it has fewer
     */
    public static boolean trim(int m, int n) {
        int last = lastSegment(m);
        int len = dataLen(last);
        if (n < 0 || n > len) {
            return false;
        }
        setDataLen(last, len - n);
        setPktLen(m, pktLen(m) - n);
        return true;
    }

    // Chains.

    /** The following mbuf of the frame; 0 for none. */
    public static int next(int m) {
        return (int) (meta(m)[at(m) + STATE] >>> 32);
    }

    /** Sets the following mbuf only; the caller keeps {@link #nbSegs} and {@link #pktLen} right. */
    public static void setNext(int m, int next) {
        long[] meta = meta(m);
        int i = at(m) + STATE;
        meta[i] = meta[i] & LOW32 | (long) next << 32;
    }

    /** How many mbufs the frame has; kept in its first mbuf. */
    public static int nbSegs(int m) {
        return (int) (meta(m)[at(m) + STATE] >>> 16 & LOW16);
    }

    /** Sets how many mbufs the frame has, 1 to 65535. */
    public static void setNbSegs(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + STATE;
        meta[i] = meta[i] & ~(LOW16 << 16) | (n & LOW16) << 16;
    }

    /** The last mbuf of the frame. */
    public static int lastSegment(int m) {
        int last = m;
        for (int n = next(m); n != 0; n = next(n)) {
            last = n;
        }
        return last;
    }

    /**
     * Appends the frame {@code tail} to the frame {@code head}, which then owns it.
     *
     * @return false, and nothing changed, when there would be more than 65535 mbufs
     */
    public static boolean chain(int head, int tail) {
        int segs = nbSegs(head) + nbSegs(tail);
        if (segs > 0xFFFF) {
            return false;
        }
        setNext(lastSegment(head), tail);
        setNbSegs(head, segs);
        setPktLen(head, pktLen(head) + pktLen(tail));
        return true;
    }

    // Properties of the frame.

    /** The port it was received on, or {@link #NO_PORT}. */
    public static int port(int m) {
        return (int) (meta(m)[at(m) + FLAGS] & LOW16);
    }

    /** Sets the port. */
    public static void setPort(int m, int port) {
        long[] meta = meta(m);
        int i = at(m) + FLAGS;
        meta[i] = meta[i] & ~LOW16 | port & LOW16;
    }

    /** The VLAN tag's control information that {@link #olFlags} speak of. */
    public static int vlanTci(int m) {
        return (int) (meta(m)[at(m) + FLAGS] >>> 16 & LOW16);
    }

    /** Sets the VLAN tag's control information. */
    public static void setVlanTci(int m, int tci) {
        long[] meta = meta(m);
        int i = at(m) + FLAGS;
        meta[i] = meta[i] & ~(LOW16 << 16) | (tci & LOW16) << 16;
    }

    /** The offload flags. */
    public static int olFlags(int m) {
        return (int) (meta(m)[at(m) + FLAGS] >>> 32);
    }

    /** Sets the offload flags. */
    public static void setOlFlags(int m, int flags) {
        long[] meta = meta(m);
        int i = at(m) + FLAGS;
        meta[i] = meta[i] & LOW32 | (long) flags << 32;
    }

    /** The flow hash, 0 unless somebody set it. */
    public static int hash(int m) {
        return (int) (meta(m)[at(m) + BUFFER] >>> 32);
    }

    /** Sets the flow hash. */
    public static void setHash(int m, int hash) {
        long[] meta = meta(m);
        int i = at(m) + BUFFER;
        meta[i] = meta[i] & LOW32 | (long) hash << 32;
    }

    /**
     * Says where a frame's headers are, for checksums that a device is asked for; takes the place
     * of {@link #hash}. Fields are as wide as in DPDK's tx_offload.
     *
     * @param l2Len bytes of Ethernet header and tags, below 128
     * @param l3Len bytes of IP header, below 512
     */
    public static void setTxHeaders(int m, int l2Len, int l3Len) {
        setHash(m, l2Len & 0x7F | (l3Len & 0x1FF) << 7);
    }

    /** Bytes of Ethernet header and tags, as {@link #setTxHeaders} had them. */
    public static int txL2Len(int m) {
        return hash(m) & 0x7F;
    }

    /** Bytes of IP header, as {@link #setTxHeaders} had them. */
    public static int txL3Len(int m) {
        return hash(m) >>> 7 & 0x1FF;
    }

    // Ownership.

    /**
     * Makes a received frame of one mbuf: data after the usual headroom, no flags.
     *
     * @param m an mbuf fresh from its pool
     * @param len bytes of data
     * @param port where it came from
     */
    public static void init(int m, int len, int port) {
        long[] meta = meta(m);
        int at = at(m);
        meta[at + GEOMETRY] = (long) len << 32 | (len & LOW16) << 16 | Mempool.HEADROOM;
        meta[at + FLAGS] = port & LOW16;
    }

    /** Makes the mbuf an empty frame of one segment, as fresh from its pool; owners stay. */
    public static void reset(int m) {
        long[] meta = meta(m);
        int at = at(m);
        meta[at + STATE] = 1L << 16 | meta[at + STATE] & LOW16;
        meta[at + GEOMETRY] = EMPTY;
        meta[at + FLAGS] = NO_FLAGS;
    }

    /** How many owners it has: 0 in the pool, 1 usually. */
    public static int refcnt(int m) {
        return (int) ((long) LONG.getOpaque(meta(m), at(m) + STATE) & LOW16);
    }

    /** Sets the number of owners of this one mbuf, by its only owner. */
    public static void setRefcnt(int m, int n) {
        long[] meta = meta(m);
        int i = at(m) + STATE;
        meta[i] = meta[i] & ~LOW16 | n & LOW16;
    }

    /**
     * Adds {@code n} owners to every mbuf of the frame; each has to {@link #free} it, and as long
     * as there are several, none may change it.
     */
    public static void retain(int m, int n) {
        for (int s = m; s != 0; s = next(s)) {
            LONG.getAndAddAcquire(meta(s), at(s) + STATE, (long) n);
        }
    }

    /**
     * Gives up the frame; its mbufs go back to their pools when this was the last owner. 0 is
     * ignored. Handles that are not out are refused and counted, see {@link Mempool#badFrees}.
     */
    public static void free(int m) {
        long[] meta = meta(m);
        int at = at(m);
        // The only owner needs no atomic operation, as in DPDK.
        if (at < meta.length && meta[at + STATE] == SINGLE) {
            meta[at + STATE] = IN_POOL;
            Pools.POOL[m >>> SLOT_SHIFT].put(m);
        } else {
            freeSlow(m);
        }
    }

    private static void freeSlow(int m) {
        int s = m;
        while (s != 0) {
            int next = freeSegment(s);
            if (next < 0) {
                Mempool.countBadFree();
                return;
            }
            s = next;
        }
    }

    /** Gives up one mbuf; returns the next of its chain, or -1 when it was not out. */
    private static int freeSegment(int m) {
        long[] meta = meta(m);
        int at = at(m);
        if (at >= meta.length) {
            return -1;
        }
        long state;
        do {
            state = (long) LONG.getOpaque(meta, at + STATE);
            if ((state & LOW16) == 0) {
                return -1;
            }
            // Release: this owner's reads are over; acquire: so are those of the owners before.
        } while (!LONG.compareAndSet(
                meta, at + STATE, state, (state & LOW16) == 1 ? IN_POOL : state - 1));
        if ((state & LOW16) == 1) {
            Pools.POOL[m >>> SLOT_SHIFT].put(m);
        }
        return (int) (state >>> 32);
    }
}
