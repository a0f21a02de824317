package io.grantwire.pmd.ring;

/**
 * The fields of a {@link Ring}, laid out so that the producer's index, the consumer's index and
 * everything else live on cache lines of their own: HotSpot never moves a field across a class
 * boundary of the hierarchy, so classes full of padding keep the groups 128 bytes apart (two lines,
 * because the adjacent-line prefetcher fetches pairs).
 */
@SuppressWarnings("unused")
abstract class RingFields {
    final String name;
    final int[] slots;
    final int mask;
    final int capacity;
    final Ring.Sync producer;
    final Ring.Sync consumer;
    final boolean singleProducer;
    final boolean singleConsumer;
    final boolean htsProducer;
    final boolean htsConsumer;

    RingFields(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        int size = Integer.highestOneBit(Math.max(capacity - 1, 0)) << 1;
        this.name = name;
        this.slots = new int[Math.max(size, 1)];
        this.mask = slots.length - 1;
        this.capacity = capacity;
        this.producer = producer;
        this.consumer = consumer;
        this.singleProducer = producer == Ring.Sync.SINGLE;
        this.singleConsumer = consumer == Ring.Sync.SINGLE;
        this.htsProducer = producer == Ring.Sync.HTS;
        this.htsConsumer = consumer == Ring.Sync.HTS;
    }
}

@SuppressWarnings("unused")
abstract class RingPad0 extends RingFields {
    private long p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, pa, pb, pc, pd, pe, pf;

    RingPad0(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        super(name, capacity, producer, consumer);
    }
}

abstract class RingProducerFields extends RingPad0 {
    /** Claimed up to here; used by several producers only. */
    int prodHead;

    /** Published up to here. */
    int prodTail;

    /** The consumer's tail as last seen; never ahead of it. */
    int prodSeenConsTail;

    RingProducerFields(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        super(name, capacity, producer, consumer);
    }
}

@SuppressWarnings("unused")
abstract class RingPad1 extends RingProducerFields {
    private long q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, qa, qb, qc, qd, qe, qf;

    RingPad1(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        super(name, capacity, producer, consumer);
    }
}

abstract class RingConsumerFields extends RingPad1 {
    /** Claimed up to here; used by several consumers only. */
    int consHead;

    /** Given back up to here. */
    int consTail;

    /** The producer's tail as last seen; never ahead of it. */
    int consSeenProdTail;

    RingConsumerFields(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        super(name, capacity, producer, consumer);
    }
}

@SuppressWarnings("unused")
abstract class RingPad2 extends RingConsumerFields {
    private long r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, ra, rb, rc, rd, re, rf;

    RingPad2(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        super(name, capacity, producer, consumer);
    }
}
