package io.grantwire.pmd.ring;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * A bounded first-in first-out queue of ints (mbuf handles) between threads of one process, after
 * rte_ring: each side has free-running 32-bit positions; a producer claims a range, copies its
 * elements in and publishes the range by moving its tail; a consumer mirrors that.
 *
 * <p>How many threads may use a side at once is fixed per side by {@link Sync}. Nothing blocks, but
 * with several threads on a side one may have to wait for another that is between claim and
 * publication; it then spins briefly and yields, so that progress never depends on a thread that
 * the kernel has taken off its CPU.
 *
 * <p>Unlike rte_ring every slot is usable: a ring of capacity 256 holds 256 elements, and the
 * capacity need not be a power of two.
 */
public final class Ring extends RingPad2 {
    /** How the threads of one side are kept apart. */
    public enum Sync {
        /** One thread at a time uses the side; that is the caller's duty. */
        SINGLE,
        /**
         * Several threads, each claiming its own range and copying side by side; ranges are
         * published in the order they were claimed.
         */
        MULTI,
        /**
         * Several threads, one operation at a time (head-tail sync): a claim is possible only when
         * no other is open. The better choice where threads outnumber CPUs, because a preempted
         * thread has at most its own range unpublished.
         */
        HTS
    }

    /** Largest capacity. */
    public static final int MAX_CAPACITY = 1 << 30;

    private static final VarHandle PROD_HEAD;
    private static final VarHandle PROD_TAIL;
    private static final VarHandle CONS_HEAD;
    private static final VarHandle CONS_TAIL;
    private static final VarHandle PROD_SEEN;
    private static final VarHandle CONS_SEEN;
    private static final int SPINS = 100;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            PROD_HEAD = lookup.findVarHandle(Ring.class, "prodHead", int.class);
            PROD_TAIL = lookup.findVarHandle(Ring.class, "prodTail", int.class);
            PROD_SEEN = lookup.findVarHandle(Ring.class, "prodSeenConsTail", int.class);
            CONS_SEEN = lookup.findVarHandle(Ring.class, "consSeenProdTail", int.class);
            CONS_HEAD = lookup.findVarHandle(Ring.class, "consHead", int.class);
            CONS_TAIL = lookup.findVarHandle(Ring.class, "consTail", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Ring(String name, int capacity, Sync producer, Sync consumer) {
        super(name, capacity, producer, consumer);
    }

    /**
     * @param name for people and messages
     * @param size how many elements it can hold, 1 to {@link #MAX_CAPACITY}
     * @param producer how enqueuing threads are kept apart
     * @param consumer how dequeuing threads are kept apart
     * @throws IllegalArgumentException when the size is out of range
     */
    public static Ring create(String name, int size, Sync producer, Sync consumer) {
        if (size < 1 || size > MAX_CAPACITY) {
            throw new IllegalArgumentException(
                    "ring " + name + ": size " + size + " is not in 1 to " + MAX_CAPACITY);
        }
        return new Ring(name, size, producer, consumer);
    }

    /** The name given at creation. */
    public String name() {
        return name;
    }

    /** How many elements it can hold. */
    public int capacity() {
        return capacity;
    }

    /** How many elements are in it, as far as this thread can see. */
    public int count() {
        // Consumer first: read the other way round, it could seem to have overtaken the producer.
        int consumed = (int) CONS_TAIL.getAcquire(this);
        int produced = (int) PROD_TAIL.getAcquire(this);
        return Math.min(produced - consumed, capacity);
    }

    /** How many more elements fit, as far as this thread can see. */
    public int freeCount() {
        return capacity - count();
    }

    /**
     * Puts in all elements or none.
     *
     * @return {@code n}, or 0 when there is not room for all
     */
    public int enqueueBulk(int[] a, int off, int n) {
        return enqueue(a, off, n, n);
    }

    /**
     * Puts in as many elements as fit, from the front.
     *
     * @return how many
     */
    public int enqueueBurst(int[] a, int off, int n) {
        return enqueue(a, off, n, 1);
    }

    /**
     * Takes out exactly {@code n} elements or none.
     *
     * @return {@code n}, or 0 when there are fewer
     */
    public int dequeueBulk(int[] a, int off, int n) {
        return dequeue(a, off, n, n);
    }

    /**
     * Takes out as many elements as there are, at most {@code n}.
     *
     * @return how many
     */
    public int dequeueBurst(int[] a, int off, int n) {
        return dequeue(a, off, n, 1);
    }

    /**
     * Puts in one element.
     *
     * @return false when the ring is full
     */
    public boolean enqueue(int element) {
        long claim = claimIn(1, 1);
        if (claim == 0) {
            return false;
        }
        int head = (int) claim;
        slots[head & mask] = element;
        publishIn(head, 1);
        return true;
    }

    /**
     * Takes out one element, for rings whose elements are never 0.
     *
     * @return the element, or 0 when the ring is empty
     */
    public int dequeue() {
        long claim = claimOut(1, 1);
        if (claim == 0) {
            return 0;
        }
        int head = (int) claim;
        int element = slots[head & mask];
        publishOut(head, 1);
        return element;
    }

    private int enqueue(int[] a, int off, int n, int least) {
        // Before the claim: nothing may go wrong while it is open.
        Objects.checkFromIndexSize(off, n, a.length);
        long claim = claimIn(n, least);
        int k = (int) (claim >>> 32);
        if (k != 0) {
            int head = (int) claim;
            copyIn(a, off, head, k);
            publishIn(head, k);
        }
        return k;
    }

    private int dequeue(int[] a, int off, int n, int least) {
        Objects.checkFromIndexSize(off, n, a.length);
        long claim = claimOut(n, least);
        int k = (int) (claim >>> 32);
        if (k != 0) {
            int head = (int) claim;
            copyOut(a, off, head, k);
            publishOut(head, k);
        }
        return k;
    }

    // A claim is packed: how many slots << 32 | position of the first. None is 0.

    private static long claim(int n, int head) {
        return (long) n << 32 | head & 0xFFFF_FFFFL;
    }

    private long claimIn(int n, int least) {
        return singleProducer ? claimInSingle(n, least) : claimInShared(n, least);
    }

    private long claimOut(int n, int least) {
        return singleConsumer ? claimOutSingle(n, least) : claimOutShared(n, least);
    }

    private long claimInSingle(int n, int least) {
        int tail = prodTail;
        int free = capacity - (tail - prodSeenConsTail);
        if (free < n) {
            // Pairs with the release in publishOut: the slots up to here have been read.
            int seen = (int) CONS_TAIL.getAcquire(this);
            prodSeenConsTail = seen;
            free = capacity - (tail - seen);
            if (free < n) {
                if (free < least) {
                    return 0;
                }
                return claim(free, tail);
            }
        }
        return n == 0 ? 0 : claim(n, tail);
    }

    private long claimOutSingle(int n, int least) {
        int tail = consTail;
        int available = consSeenProdTail - tail;
        if (available < n) {
            // Pairs with the release in publishIn: the slots up to here are filled.
            int seen = (int) PROD_TAIL.getAcquire(this);
            consSeenProdTail = seen;
            available = seen - tail;
            if (available < n) {
                if (available < least) {
                    return 0;
                }
                return claim(available, tail);
            }
        }
        return n == 0 ? 0 : claim(n, tail);
    }

    private long claimInShared(int n, int least) {
        boolean hts = htsProducer;
        int spins = 0;
        while (n > 0) {
            int head = (int) PROD_HEAD.getAcquire(this);
            if (hts && (int) PROD_TAIL.getAcquire(this) != head) {
                spins = pause(spins);
                continue;
            }
            // Acquire and release, since another producer may have looked: what it saw read, this
            // one may overwrite.
            int free = capacity - (head - (int) PROD_SEEN.getAcquire(this));
            if (free < n || free > capacity) {
                // Pairs with the release in publishOut: the slots up to here have been read.
                int seen = (int) CONS_TAIL.getAcquire(this);
                PROD_SEEN.setRelease(this, seen);
                free = capacity - (head - seen);
            }
            if (free > capacity) {
                // The head is stale, consumers are past it already; or what was seen is so old that
                // positions have wrapped, and it has been looked at again.
                continue;
            }
            int k = Math.min(n, free);
            if (k < least) {
                return 0;
            }
            if (PROD_HEAD.weakCompareAndSetAcquire(this, head, head + k)) {
                return claim(k, head);
            }
        }
        return 0;
    }

    private long claimOutShared(int n, int least) {
        boolean hts = htsConsumer;
        int spins = 0;
        while (n > 0) {
            int head = (int) CONS_HEAD.getAcquire(this);
            if (hts && (int) CONS_TAIL.getAcquire(this) != head) {
                spins = pause(spins);
                continue;
            }
            // Acquire and release, since another consumer may have looked: what it saw filled,
            // this one may read.
            int available = (int) CONS_SEEN.getAcquire(this) - head;
            if (available < n || available > capacity) {
                // Pairs with the release in publishIn: the slots up to here are filled.
                int seen = (int) PROD_TAIL.getAcquire(this);
                CONS_SEEN.setRelease(this, seen);
                available = seen - head;
            }
            int k = Math.min(n, available);
            if (k < least) {
                return 0;
            }
            if (CONS_HEAD.weakCompareAndSetAcquire(this, head, head + k)) {
                return claim(k, head);
            }
        }
        return 0;
    }

    private void publishIn(int head, int n) {
        if (!singleProducer && !htsProducer) {
            awaitProducers(head);
        }
        // Pairs with the acquire in claimOut: the slots are filled.
        PROD_TAIL.setRelease(this, head + n);
    }

    private void publishOut(int head, int n) {
        if (!singleConsumer && !htsConsumer) {
            awaitConsumers(head);
        }
        // Pairs with the acquire in claimIn: the slots may be filled again.
        CONS_TAIL.setRelease(this, head + n);
    }

    /** Waits for the claims before one's own to be published; acquire, to publish them as well. */
    private void awaitProducers(int head) {
        int spins = 0;
        while ((int) PROD_TAIL.getAcquire(this) != head) {
            spins = pause(spins);
        }
    }

    private void awaitConsumers(int head) {
        int spins = 0;
        while ((int) CONS_TAIL.getAcquire(this) != head) {
            spins = pause(spins);
        }
    }

    private void copyIn(int[] a, int off, int position, int n) {
        int[] s = slots;
        int at = position & mask;
        int first = s.length - at;
        if (first >= n) {
            System.arraycopy(a, off, s, at, n);
        } else {
            System.arraycopy(a, off, s, at, first);
            System.arraycopy(a, off + first, s, 0, n - first);
        }
    }

    private void copyOut(int[] a, int off, int position, int n) {
        int[] s = slots;
        int at = position & mask;
        int first = s.length - at;
        if (first >= n) {
            System.arraycopy(s, at, a, off, n);
        } else {
            System.arraycopy(s, at, a, off, first);
            System.arraycopy(s, 0, a, off + first, n - first);
        }
    }

    private static int pause(int spins) {
        if (spins < SPINS) {
            Thread.onSpinWait();
            return spins + 1;
        }
        Thread.yield();
        return spins;
    }
}
