package io.grantwire.pmd.testkit.pci;

import io.grantwire.bindings.Fd;
import io.grantwire.vfio.PciInterrupt;
import io.grantwire.vfio.PciInterrupts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The interrupts of a {@link TestPciDevice}, which its model fires. */
public final class TestInterrupts implements PciInterrupts {
    private final Kind kind;
    private final int count;
    private List<Vector> vectors = List.of();

    /**
     * @param kind the only kind there is
     * @param count how many vectors
     */
    public TestInterrupts(Kind kind, int count) {
        this.kind = kind;
        this.count = count;
    }

    private static final class Vector implements PciInterrupt {
        private final Semaphore fired = new Semaphore(0);

        @Override
        public boolean await(Duration timeout) {
            try {
                boolean came = fired.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
                fired.drainPermits();
                return came;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        @Override
        public void unmask() {}

        @Override
        public Fd fd() {
            throw new UnsupportedOperationException("the model has no descriptors");
        }
    }

    /** Interrupts, if that vector is on. */
    public synchronized void fire(int vector) {
        if (vector < vectors.size()) {
            vectors.get(vector).fired.release();
        }
    }

    /** Vectors that are on. */
    public synchronized int enabled() {
        return vectors.size();
    }

    @Override
    public int available(Kind wanted) {
        return wanted == kind ? count : 0;
    }

    @Override
    public synchronized List<PciInterrupt> enable(Kind wanted, int number) {
        List<Vector> fresh = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            fresh.add(new Vector());
        }
        vectors = fresh;
        return List.copyOf(fresh);
    }

    @Override
    public synchronized void disable() {
        vectors = List.of();
    }
}
