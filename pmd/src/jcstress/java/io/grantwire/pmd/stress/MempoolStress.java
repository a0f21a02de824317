package io.grantwire.pmd.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.ring.Ring;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** What a mempool and its mbufs promise between threads. */
public final class MempoolStress {
    /** One pool for all states: jcstress makes millions of them. */
    private static final Mempool POOL =
            Mempool.create(new MempoolConfig("stress", 1 << 16, 64, 0, MemorySource.plain()));

    private MempoolStress() {}

    /** An mbuf's metadata goes with it through a ring. */
    @JCStressTest
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "Nothing there yet")
    @Outcome(id = "60", expect = ACCEPTABLE, desc = "Published")
    @Outcome(expect = FORBIDDEN, desc = "An mbuf without its metadata")
    @State
    public static class Passing {
        private final Ring ring = Ring.create("r", 1, Ring.Sync.SINGLE, Ring.Sync.SINGLE);

        /** Receives a frame and passes it on. */
        @Actor
        public void producer() {
            int m = POOL.alloc();
            Mbuf.setLen(m, 60);
            ring.enqueue(m);
        }

        /** Takes it, if it is there. */
        @Actor
        public void consumer(I_Result r) {
            int m = ring.dequeue();
            r.r1 = m == 0 ? -1 : Mbuf.pktLen(m);
            Mbuf.free(m);
        }

        /** Frees what the consumer came too early for. */
        @Arbiter
        public void rest() {
            Mbuf.free(ring.dequeue());
        }
    }

    /** Two owners free a frame once between them. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "Freed once")
    @Outcome(expect = FORBIDDEN, desc = "Leaked, or freed twice")
    @State
    public static class TwoOwners {
        private final long bad = Mempool.badFrees();
        private final int mbuf = POOL.alloc();

        /** Makes both owners. */
        public TwoOwners() {
            Mbuf.retain(mbuf, 1);
        }

        /** Frees. */
        @Actor
        public void first() {
            Mbuf.free(mbuf);
        }

        /** Frees. */
        @Actor
        public void second() {
            Mbuf.free(mbuf);
        }

        /** Looks. */
        @Arbiter
        public void look(II_Result r) {
            r.r1 = Mbuf.refcnt(mbuf);
            r.r2 = (int) (Mempool.badFrees() - bad);
        }
    }
}
