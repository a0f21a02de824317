package io.grantwire.pmd.mbuf;

/**
 * How an mbuf's metadata is packed: four longs, half a cache line, in its pool's {@code long[]} at
 * index {@code (handle & INDEX_MASK) * 4}. The packet path reads and writes whole longs. See
 * docs/mbuf.md for why.
 *
 * <pre>
 * long      bits 63..32       31..16     15..0
 * STATE     next handle       nbSegs     refcnt (0: in the pool)
 * GEOMETRY  pktLen            dataLen    dataOff
 * FLAGS     olFlags           vlanTci    port
 * BUFFER    hash              buffer's offset in the pool's memory / 64
 * </pre>
 */
final class MbufLayout {
    /** log2 of the longs per mbuf. */
    static final int SHIFT = 2;

    static final int STATE = 0;
    static final int GEOMETRY = 1;
    static final int FLAGS = 2;
    static final int BUFFER = 3;

    /** The handle's part that counts mbufs within a pool, from 1. */
    static final int INDEX_MASK = 0xFF_FFFF;

    /** Where the pool's slot begins in a handle. */
    static final int SLOT_SHIFT = 24;

    /** STATE of an mbuf in its pool. */
    static final long IN_POOL = 0;

    /** STATE of an mbuf with one owner that is a whole frame: the one that is cheap to free. */
    static final long SINGLE = 1L << 16 | 1;

    /** GEOMETRY of an empty frame. */
    static final long EMPTY = Mempool.HEADROOM;

    /** FLAGS of a frame that came from nowhere. */
    static final long NO_FLAGS = Mbuf.NO_PORT;

    static final int BUFFER_ALIGN_SHIFT = 6;
    static final long LOW16 = 0xFFFFL;
    static final long LOW32 = 0xFFFF_FFFFL;

    private MbufLayout() {}
}
