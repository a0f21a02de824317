package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import java.lang.foreign.MemorySegment;

/** Makes bursts of frames of one segment for the generating engines, headers included. */
final class BurstMaker {
    private BurstMaker() {}

    /**
     * Fills {@link Stream#mbufs} with a burst of frames that carry the stream's template; fewer
     * when the pool has fewer buffers.
     *
     * @param length bytes of each, unless the settings have a cycle of lengths
     * @param dstIp the address in the template
     * @return how many
     */
    static int make(Stream stream, int length, int dstIp) {
        int[] mbufs = stream.mbufs;
        int n = take(stream.txPool, mbufs, stream.settings.burst);
        int[] cycle = stream.settings.lengthCycle;
        if (cycle.length > 0) {
            return makeOfAllLengths(stream, cycle, n, dstIp);
        }
        for (int i = 0; i < n; i++) {
            Mbuf.init(mbufs[i], length, Mbuf.NO_PORT);
        }
        stream.template.copyTo(stream.txPool.segment(), mbufs, n);
        return n;
    }

    /**
     * The same with a destination address for each frame: {@code dstIp} plus the number of its
     * flow.
     *
     * @param flow the first frame's
     * @param flows how many there are, a power of two
     */
    static int makeFlows(Stream stream, int length, int dstIp, int flow, int flows) {
        int n = make(stream, length, dstIp);
        int[] mbufs = stream.mbufs;
        FrameTemplate template = stream.template;
        MemorySegment memory = stream.txPool.segment();
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            int dst = dstIp + (flow + i & flows - 1);
            template.setDestination(memory, Mbuf.offset(m), Mbuf.pktLen(m), dst);
        }
        return n;
    }

    private static int makeOfAllLengths(Stream stream, int[] cycle, int n, int dstIp) {
        int[] mbufs = stream.mbufs;
        FrameTemplate template = stream.template;
        int at = stream.nextLength;
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            int length = cycle[at];
            at = at + 1 == cycle.length ? 0 : at + 1;
            Mbuf.init(m, length, Mbuf.NO_PORT);
            MemorySegment memory = Mbuf.segment(m);
            long frame = Mbuf.offset(m);
            template.copyTo(memory, frame);
            template.setLengths(memory, frame, length, dstIp);
        }
        stream.nextLength = at;
        return n;
    }

    private static int take(Mempool pool, int[] mbufs, int wanted) {
        if (pool.allocRawBulk(mbufs, 0, wanted)) {
            return wanted;
        }
        // A bulk fails as a whole: a pool that is almost empty gives what it has.
        int n = 0;
        while (n < wanted && pool.allocRawBulk(mbufs, n, 1)) {
            n++;
        }
        return n;
    }
}
