package io.grantwire.tools.bench.micro;

import io.grantwire.pmd.lcore.IdleStrategy;
import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import io.grantwire.tools.cli.CommandFailure;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A piece of work on a pinned lcore, where mempools have their caches. */
final class OnCore<T> {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final CompletableFuture<T> result = new CompletableFuture<>();
    private final Lcore lcore;

    private OnCore(int cpu, Callable<T> work) {
        lcore = Lcores.launch(-1, cpu, "bench-" + cpu, () -> once(work), IdleStrategy.Backoff::new);
    }

    /** Starts it. */
    static <T> OnCore<T> start(int cpu, Callable<T> work) {
        return new OnCore<>(cpu, work);
    }

    private int once(Callable<T> work) {
        if (!result.isDone()) {
            try {
                result.complete(work.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        }
        return 0;
    }

    /** Its result. */
    T get() throws InterruptedException {
        try {
            return result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new CommandFailure("the benchmark failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new CommandFailure("the benchmark does not end", e);
        } finally {
            lcore.stop();
        }
    }
}
