package io.grantwire.pmd.ring;

/**
 * The fields of a {@link Ring}, laid out so that the producer's index, the consumer's index and
 * everything else live on cache lines of their own: HotSpot lays out a class's fields behind those
 * of the classes it extends, so classes full of padding keep the groups 128 bytes apart (two lines,
 * because the adjacent-line prefetcher fetches pairs). The padding is of ints because a gap that
 * alignment leaves may be filled with a smaller field of a later class: the next is padding then,
 * and not the other side's index.
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
    private int p00, p01, p02, p03, p04, p05, p06, p07;
    private int p08, p09, p0a, p0b, p0c, p0d, p0e, p0f;
    private int p10, p11, p12, p13, p14, p15, p16, p17;
    private int p18, p19, p1a, p1b, p1c, p1d, p1e, p1f;

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
    private int q00, q01, q02, q03, q04, q05, q06, q07;
    private int q08, q09, q0a, q0b, q0c, q0d, q0e, q0f;
    private int q10, q11, q12, q13, q14, q15, q16, q17;
    private int q18, q19, q1a, q1b, q1c, q1d, q1e, q1f;

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
    private int r00, r01, r02, r03, r04, r05, r06, r07;
    private int r08, r09, r0a, r0b, r0c, r0d, r0e, r0f;
    private int r10, r11, r12, r13, r14, r15, r16, r17;
    private int r18, r19, r1a, r1b, r1c, r1d, r1e, r1f;

    RingPad2(String name, int capacity, Ring.Sync producer, Ring.Sync consumer) {
        super(name, capacity, producer, consumer);
    }
}
