package io.grantwire.pmd.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.grantwire.pmd.ring.Ring;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** What a ring promises between threads. */
public final class RingStress {
    private RingStress() {}

    /** What was written before an element was put in is seen by who takes it out. */
    static class Publication {
        private final Ring ring;
        private final int[] metadata = new int[2];

        Publication(Ring.Sync producer, Ring.Sync consumer) {
            ring = Ring.create("r", 2, producer, consumer);
        }

        final void put() {
            metadata[1] = 42;
            ring.enqueueBulk(new int[] {1}, 0, 1);
        }

        final int take() {
            int[] out = new int[1];
            return ring.dequeueBurst(out, 0, 1) == 0 ? -1 : metadata[out[0]];
        }
    }

    /** One producer, one consumer. */
    @JCStressTest
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "Nothing there yet")
    @Outcome(id = "42", expect = ACCEPTABLE, desc = "Published")
    @Outcome(expect = FORBIDDEN, desc = "Element without its metadata")
    @State
    public static class Single extends Publication {
        /** As jcstress calls it. */
        public Single() {
            super(Ring.Sync.SINGLE, Ring.Sync.SINGLE);
        }

        /** Puts in. */
        @Actor
        public void producer() {
            put();
        }

        /** Takes out. */
        @Actor
        public void consumer(I_Result r) {
            r.r1 = take();
        }
    }

    /** Head-tail sync on both sides. */
    @JCStressTest
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "Nothing there yet")
    @Outcome(id = "42", expect = ACCEPTABLE, desc = "Published")
    @Outcome(expect = FORBIDDEN, desc = "Element without its metadata")
    @State
    public static class Hts extends Publication {
        /** As jcstress calls it. */
        public Hts() {
            super(Ring.Sync.HTS, Ring.Sync.HTS);
        }

        /** Puts in. */
        @Actor
        public void producer() {
            put();
        }

        /** Takes out. */
        @Actor
        public void consumer(I_Result r) {
            r.r1 = take();
        }
    }

    /** Two producers never lose an element, whatever they do to each other. */
    static class Both {
        private final Ring ring;

        Both(Ring.Sync sync) {
            ring = Ring.create("r", 2, sync, sync);
        }

        final void put(int element) {
            ring.enqueue(element);
        }

        final int sum() {
            return 10 * ring.count() + ring.dequeue() + ring.dequeue();
        }
    }

    /** Two producers that claim side by side. */
    @JCStressTest
    @Outcome(id = "23", expect = ACCEPTABLE, desc = "Both are in")
    @Outcome(expect = FORBIDDEN, desc = "Lost or doubled")
    @State
    public static class TwoMultiProducers extends Both {
        /** As jcstress calls it. */
        public TwoMultiProducers() {
            super(Ring.Sync.MULTI);
        }

        /** Puts in. */
        @Actor
        public void first() {
            put(1);
        }

        /** Puts in. */
        @Actor
        public void second() {
            put(2);
        }

        /** Looks. */
        @Arbiter
        public void look(I_Result r) {
            r.r1 = sum();
        }
    }

    /** Two producers, one at a time. */
    @JCStressTest
    @Outcome(id = "23", expect = ACCEPTABLE, desc = "Both are in")
    @Outcome(expect = FORBIDDEN, desc = "Lost or doubled")
    @State
    public static class TwoHtsProducers extends Both {
        /** As jcstress calls it. */
        public TwoHtsProducers() {
            super(Ring.Sync.HTS);
        }

        /** Puts in. */
        @Actor
        public void first() {
            put(1);
        }

        /** Puts in. */
        @Actor
        public void second() {
            put(2);
        }

        /** Looks. */
        @Arbiter
        public void look(I_Result r) {
            r.r1 = sum();
        }
    }

    /** Two consumers never get the same element, and slots are reused only when read. */
    @JCStressTest
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "One each")
    @Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "One each")
    @Outcome(expect = FORBIDDEN, desc = "Lost or doubled")
    @State
    public static class TwoConsumers {
        private final Ring ring = Ring.create("r", 2, Ring.Sync.SINGLE, Ring.Sync.HTS);

        /** Puts both in. */
        public TwoConsumers() {
            ring.enqueue(1);
            ring.enqueue(2);
        }

        /** Takes out. */
        @Actor
        public void first(II_Result r) {
            r.r1 = ring.dequeue();
        }

        /** Takes out. */
        @Actor
        public void second(II_Result r) {
            r.r2 = ring.dequeue();
        }
    }

    /** A full ring's slot is filled again only after it has been read. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Read, then filled again")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Still full")
    @Outcome(expect = FORBIDDEN, desc = "Overwritten")
    @State
    public static class SlotReuse {
        private final Ring ring = Ring.create("r", 1, Ring.Sync.SINGLE, Ring.Sync.SINGLE);

        /** Fills it. */
        public SlotReuse() {
            ring.enqueue(1);
        }

        /** Takes out. */
        @Actor
        public void consumer(II_Result r) {
            r.r1 = ring.dequeue();
        }

        /** Puts in. */
        @Actor
        public void producer(II_Result r) {
            r.r2 = ring.enqueue(2) ? 1 : 0;
        }
    }
}
