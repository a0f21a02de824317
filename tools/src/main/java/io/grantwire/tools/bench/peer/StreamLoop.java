package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.lcore.PollLoop;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.Stream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Runs testpmd's forwarding engines over some streams; remembers when frames first came. */
final class StreamLoop implements PollLoop {
    private static final VarHandle FIRST;

    static {
        try {
            FIRST = MethodHandles.lookup().findVarHandle(StreamLoop.class, "first", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ForwardEngine[] engines;
    private final Stream[] streams;

    // Written by the polling thread once, read by any.
    private long first;

    /**
     * @param engines one for each stream
     */
    StreamLoop(ForwardEngine[] engines, Stream[] streams) {
        this.engines = engines.clone();
        this.streams = streams.clone();
        for (int i = 0; i < streams.length; i++) {
            engines[i].begin(streams[i]);
        }
    }

    @Override
    public int poll() {
        ForwardEngine[] engines = this.engines;
        Stream[] streams = this.streams;
        int work = 0;
        for (int i = 0; i < streams.length; i++) {
            work += engines[i].forward(streams[i]);
        }
        if (first == 0 && work > 0 && received() > 0) {
            FIRST.setOpaque(this, System.nanoTime());
        }
        return work;
    }

    private long received() {
        long sum = 0;
        for (Stream stream : streams) {
            sum += stream.rx();
        }
        return sum;
    }

    /** When the first frame was received; 0 before that. Any thread. */
    long firstNanos() {
        return (long) FIRST.getOpaque(this);
    }
}
