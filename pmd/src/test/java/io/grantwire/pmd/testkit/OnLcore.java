package io.grantwire.pmd.testkit;

import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;

/** Runs a piece of a test as an lcore, so that mempool caches take part. */
public final class OnLcore {
    private OnLcore() {}

    /** Runs it on a free, unpinned lcore and gives its result, or throws what it threw. */
    public static <T> T call(Callable<T> body) throws Exception {
        AtomicReference<T> result = new AtomicReference<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<Lcore> self = new AtomicReference<>();
        Lcore lcore =
                Lcores.launch(
                        -1,
                        -1,
                        "test",
                        () -> {
                            Lcore me;
                            while ((me = self.get()) == null) {
                                Thread.onSpinWait();
                            }
                            try {
                                result.set(body.call());
                            } catch (Throwable t) {
                                failure.set(t);
                            }
                            me.stop();
                            return 1;
                        });
        self.set(lcore);
        if (!lcore.join(Duration.ofMinutes(5))) {
            throw new AssertionError("the lcore did not end");
        }
        switch (failure.get()) {
            case null -> {}
            case Exception e -> throw e;
            case Error e -> throw e;
            case Throwable t -> throw new AssertionError(t);
        }
        return result.get();
    }

    /** A piece of a test without a result. */
    @FunctionalInterface
    public interface Body {
        /** Does it. */
        void run() throws Exception;
    }

    /** Runs it on a free, unpinned lcore; throws what it threw. */
    public static void run(Body body) throws Exception {
        call(() -> {
            body.run();
            return null;
        });
    }
}
