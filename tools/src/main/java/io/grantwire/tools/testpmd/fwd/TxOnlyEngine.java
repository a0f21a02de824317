package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;

/**
 * {@code txonly}: sends UDP frames 192.168.0.1:1024 → 192.168.0.2:1024 to the port's peer as fast
 * as the port takes them. Receives nothing.
 */
final class TxOnlyEngine implements ForwardEngine {
    private static final int SRC_IP = 0xc0a8_0001;
    private static final int DST_IP = 0xc0a8_0002;
    private static final int PORT = 1024;

    @Override
    public String name() {
        return "txonly";
    }

    @Override
    public boolean generates() {
        return true;
    }

    @Override
    public void begin(Stream stream) {
        int length = stream.settings.txPacketLength();
        stream.template.fill(stream.peerMac, stream.txMac, length, SRC_IP, DST_IP, PORT, PORT);
    }

    @Override
    public int forward(Stream stream) {
        int[] lengths = stream.settings.segmentLengths;
        int n =
                lengths.length == 1
                        ? BurstMaker.make(stream, lengths[0], DST_IP)
                        : makeChains(stream, lengths);
        if (n > 0) {
            long before = stream.tx();
            stream.tag(n);
            stream.send(n);
            // A port that takes nothing is a reason to rest, although frames were made.
            return (int) (stream.tx() - before);
        }
        return 0;
    }

    private static int makeChains(Stream stream, int[] lengths) {
        int n = 0;
        int burst = stream.settings.burst;
        while (n < burst) {
            int m = chain(stream.txPool, lengths);
            if (m == 0) {
                break;
            }
            stream.template.copyTo(Mbuf.segment(m), Mbuf.offset(m));
            stream.mbufs[n++] = m;
        }
        return n;
    }

    /** A frame of these segments, or 0 when the pool cannot give that many. */
    static int chain(Mempool pool, int[] lengths) {
        int head = pool.alloc();
        if (head == 0) {
            return 0;
        }
        Mbuf.append(head, lengths[0]);
        for (int i = 1; i < lengths.length; i++) {
            int next = pool.alloc();
            if (next == 0) {
                Mbuf.free(head);
                return 0;
            }
            Mbuf.append(next, lengths[i]);
            Mbuf.chain(head, next);
        }
        return head;
    }
}
