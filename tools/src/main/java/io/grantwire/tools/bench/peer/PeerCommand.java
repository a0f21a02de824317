package io.grantwire.tools.bench.peer;

import com.sun.management.ThreadMXBean;
import io.grantwire.bindings.LinkAhead;
import io.grantwire.bindings.NativeException;
import io.grantwire.pmd.lcore.LcoreThread;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.StdinWatch;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;

/**
 * One process of a benchmark, the host's or the guests'. It says {@code listening} when others may
 * join, {@code connected} when frames could move, polls from the first line of input on, and then
 * prints its counters over and over, each a line of JSON. It ends when its input does.
 */
public final class PeerCommand implements Command {
    private static final Duration LOOK = Duration.ofMillis(5);
    private static final Path STATM = Path.of("/proc/self/statm");

    @Override
    public int run(String[] args, Context context) throws Exception {
        LinkAhead.start();
        PeerOptions options = new PeerOptions();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        Logging.start(Level.WARNING, context.err());
        CountDownLatch go = new CountDownLatch(options.now ? 0 : 1);
        StdinWatch.start(context.in(), context.stop(), line -> go.countDown());
        try (Side side = open(options)) {
            say(context, "listening");
            if (options.now) {
                side.start();
            }
            if (await(context, side)) {
                say(context, "connected");
                while (!go.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                    if (context.stop().requested()) {
                        return ExitStatus.OK;
                    }
                }
                if (!options.now) {
                    side.start();
                }
                sample(options, side, context);
            }
        } catch (NativeException e) {
            throw new CommandFailure(e.getMessage(), e);
        }
        return ExitStatus.OK;
    }

    private static Side open(PeerOptions options) {
        if (options.side == Side.Kind.guest) {
            return new GuestSide(options);
        }
        return switch (options.pathCase()) {
            case GUEST_TO_GUEST -> new SwitchSide(options);
            default -> new VhostSide(options);
        };
    }

    private static boolean await(Context context, Side side) throws InterruptedException {
        while (!side.connected()) {
            if (context.stop().await(LOOK)) {
                return false;
            }
        }
        return true;
    }

    private static void say(Context context, String event) {
        context.out().println("{\"event\":\"" + event + "\"}");
        context.out().flush();
    }

    private static void sample(PeerOptions options, Side side, Context context)
            throws InterruptedException {
        // Not sooner: until it is there, frames would have to wait.
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] lcores = lcoreThreads();
        Garbage garbage = Garbage.start(options.garbage);
        try {
            Duration interval = Duration.ofMillis(options.interval);
            long next = System.nanoTime();
            do {
                Throwable failure = side.failure();
                if (failure != null) {
                    throw new CommandFailure("polling failed: " + failure, failure);
                }
                long frames = side.frames();
                Sample sample =
                        new Sample(
                                System.nanoTime(),
                                frames,
                                allocatedBy(threads, lcores),
                                side.takeWorstGap(),
                                side.firstNanos(),
                                residentBytes(),
                                side.busyNanos());
                context.out().println(sample.line());
                context.out().flush();
                next += interval.toNanos();
            } while (!context.stop().await(Duration.ofNanos(next - System.nanoTime())));
        } finally {
            garbage.close();
        }
    }

    /** The polling threads. Looked for once: the look stops them all for a moment. */
    private static long[] lcoreThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(LcoreThread.class::isInstance)
                .mapToLong(Thread::threadId)
                .toArray();
    }

    /** Bytes that threads have allocated. */
    private static long allocatedBy(ThreadMXBean threads, long[] ids) {
        long sum = 0;
        for (long id : ids) {
            sum += Math.max(0, threads.getThreadAllocatedBytes(id));
        }
        return sum;
    }

    private static long residentBytes() {
        try {
            String[] pages = Files.readString(STATM).split(" ");
            return Long.parseLong(pages[1]) * io.grantwire.bindings.Mapping.pageSize();
        } catch (IOException e) {
            return 0;
        }
    }
}
