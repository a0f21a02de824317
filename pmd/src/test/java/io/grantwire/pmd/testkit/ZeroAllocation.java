package io.grantwire.pmd.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.IntSupplier;

/** Checks that a loop of the packet path allocates nothing once it is warm. */
public final class ZeroAllocation {
    /** How many packets a check moves, at least. */
    public static final long PACKETS = 1_000_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ATTEMPTS = 20;

    private ZeroAllocation() {}

    /**
     * Runs rounds on the calling thread until {@link #PACKETS} packets in a row have gone by
     * without a byte allocated. Earlier ones may allocate: the interpreter does where compiled code
     * does not. Fails when that never happens, or when rounds do no work.
     *
     * @param what for the message
     * @param round does some work and returns how many packets it moved
     */
    public static void check(String what, IntSupplier round) {
        check(what, PACKETS, round);
    }

    /** The same for another number of packets, where a million would take too long. */
    public static void check(String what, long packets, IntSupplier round) {
        long bytes = 0;
        for (int i = 0; i < ATTEMPTS; i++) {
            bytes = measure(what, packets, round);
            if (bytes == 0) {
                return;
            }
        }
        assertEquals(0, bytes, what + ": bytes allocated by " + packets + " packets");
    }

    private static long measure(String what, long packets, IntSupplier round) {
        long moved = 0;
        long idle = 0;
        long before = THREADS.getCurrentThreadAllocatedBytes();
        while (moved < packets) {
            int n = round.getAsInt();
            moved += n;
            idle = n == 0 ? idle + 1 : 0;
            if (idle > 50_000_000) {
                throw new AssertionError(what + ": no packets move");
            }
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
