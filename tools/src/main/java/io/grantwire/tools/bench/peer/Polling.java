package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.lcore.IdleStrategy;
import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import io.grantwire.pmd.lcore.PollLoop;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.Stream;
import java.time.Duration;
import java.util.function.Supplier;

/** A peer's polling thread, pinned. */
final class Polling implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final int cpu;
    private final boolean gaps;
    private final Supplier<IdleStrategy> idle;
    private volatile StreamLoop loop;
    private volatile GapLoop gapLoop;
    private volatile Lcore lcore;

    Polling(PeerOptions options) {
        cpu = options.cpu;
        gaps = options.gaps;
        idle = options::idle;
    }

    void start(String name, ForwardEngine[] engines, Stream[] streams) {
        StreamLoop streamLoop = new StreamLoop(engines, streams);
        loop = streamLoop;
        PollLoop polled = streamLoop;
        if (gaps) {
            gapLoop = new GapLoop(streamLoop);
            polled = gapLoop;
        }
        lcore = Lcores.launch(-1, cpu, name, polled, idle);
    }

    long firstNanos() {
        StreamLoop l = loop;
        return l == null ? 0 : l.firstNanos();
    }

    long takeWorstGap() {
        GapLoop l = gapLoop;
        return l == null ? 0 : l.take();
    }

    Throwable failure() {
        Lcore l = lcore;
        return l == null ? null : l.failure();
    }

    /** Ends the polling; devices may be closed afterwards. */
    @Override
    public void close() {
        Lcore l = lcore;
        if (l == null) {
            return;
        }
        l.stop();
        try {
            if (!l.join(PATIENCE)) {
                throw new CommandFailure("the polling thread does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
