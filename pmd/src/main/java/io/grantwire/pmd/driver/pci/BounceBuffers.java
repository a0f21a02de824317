package io.grantwire.pmd.driver.pci;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.lang.foreign.MemorySegment;

/**
 * Mbufs that a card can reach, for frames in memory that it cannot: such a frame is copied here and
 * the copy goes out in its place. Frames longer than one of these mbufs become chains.
 *
 * <p>The transmit queues of a device share one; {@link #copy} is for the packet path, any thread.
 */
public final class BounceBuffers implements AutoCloseable {
    private static final int COUNT = 512;

    private final Mempool pool;

    /**
     * Makes the mbufs.
     *
     * @param device whose they are; for messages
     * @param source memory that the card can reach
     * @param addresses learns them
     * @throws io.grantwire.vfio.PciException when there is no such memory
     */
    public BounceBuffers(String device, MemorySource source, BusAddresses addresses) {
        // Two to a page where devices find no more than a page in one piece.
        int room =
                (int)
                        Math.min(
                                Mempool.DEFAULT_DATA_ROOM,
                                source.contiguousBytes() / 2 - Mempool.HEADROOM);
        // No caches: what one thread's cache holds would be missing in another queue.
        pool =
                Mempool.create(
                        MempoolConfig.of(device + "-bounce", COUNT)
                                .withDataRoom(room)
                                .withCacheSize(0)
                                .withSource(source));
        try {
            addresses.learn(pool);
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    /** How many mbufs the copy of a frame has. */
    public int segments(int pktLen) {
        return Math.max(1, (pktLen + pool.dataRoom() - 1) / pool.dataRoom());
    }

    /**
     * Copies a frame, what it asks the card for as well, and frees it.
     *
     * @return the copy; 0 when too few mbufs are left now, and then the frame stays as it is
     */
    public int copy(int m) {
        int copy = pool.allocChain(Mbuf.pktLen(m));
        if (copy == 0) {
            return 0;
        }
        int to = copy;
        int filled = 0;
        for (int from = m; from != 0; from = Mbuf.next(from)) {
            int length = Mbuf.dataLen(from);
            for (int done = 0; done < length; ) {
                if (filled == Mbuf.dataLen(to)) {
                    to = Mbuf.next(to);
                    filled = 0;
                }
                if (to == 0) {
                    // Its mbufs have more than its length says: the length counts.
                    break;
                }
                int n = Math.min(length - done, Mbuf.dataLen(to) - filled);
                MemorySegment.copy(
                        Mbuf.segment(from),
                        Mbuf.offset(from) + done,
                        Mbuf.segment(to),
                        Mbuf.offset(to) + filled,
                        n);
                done += n;
                filled += n;
            }
            if (to == 0) {
                break;
            }
        }
        Mbuf.setOlFlags(copy, Mbuf.olFlags(m));
        Mbuf.setVlanTci(copy, Mbuf.vlanTci(m));
        Mbuf.setHash(copy, Mbuf.hash(m));
        Mbuf.free(m);
        return copy;
    }

    /** Frees the mbufs; the card is quiet, and what was sent is freed. */
    @Override
    public void close() {
        pool.close();
    }
}
