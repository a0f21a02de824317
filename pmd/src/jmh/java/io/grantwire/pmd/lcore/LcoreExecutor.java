package io.grantwire.pmd.lcore;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Gives benchmarks threads with lcore ids: {@code -Djmh.executor=CUSTOM
 * -Djmh.executor.class=io.grantwire.pmd.lcore.LcoreExecutor}.
 */
public final class LcoreExecutor extends ThreadPoolExecutor {
    private static final AtomicInteger NEXT = new AtomicInteger();

    /** As JMH calls it. */
    public LcoreExecutor(int maxThreads, String prefix) {
        super(
                maxThreads,
                maxThreads,
                1,
                TimeUnit.MINUTES,
                new LinkedBlockingQueue<>(),
                body ->
                        new LcoreThread(
                                NEXT.getAndIncrement() % Lcore.MAX, prefix + "-jmh-worker", body));
    }
}
