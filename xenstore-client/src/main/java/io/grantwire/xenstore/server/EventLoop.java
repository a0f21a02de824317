package io.grantwire.xenstore.server;

import java.io.IOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that waits for channels, timers and tasks and runs what they are for, one after the
 * other: everything the server does happens here, in one order.
 */
final class EventLoop {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

    /** What a channel's events are for; attached to its key. */
    interface Handler {
        /** The channel is ready, or a turn was asked for; the key says which. */
        void turn();

        /** Something unforeseen happened in its turn: give up what it stands for, quietly. */
        void giveUp();
    }

    private record Timer(long at, long number, Runnable action) {}

    private final Selector selector;
    private final Thread thread;
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final PriorityQueue<Timer> timers =
            new PriorityQueue<>(
                    Comparator.<Timer>comparingLong(Timer::at).thenComparingLong(Timer::number));
    private final Runnable atEnd;
    private Set<Handler> wanted = new LinkedHashSet<>();
    private long timerNumber;
    private boolean stopping;

    /**
     * @param atEnd what the thread does last, whatever ended it
     */
    EventLoop(String threadName, Runnable atEnd) throws IOException {
        selector = Selector.open();
        this.atEnd = atEnd;
        thread = Thread.ofPlatform().name(threadName).daemon(true).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    /** Watches a channel; in the loop only. */
    SelectionKey register(SelectableChannel channel, int interest, Handler handler)
            throws IOException {
        return channel.register(selector, interest, handler);
    }

    /** Gives a handler another turn in this round or the next; in the loop only. */
    void wantTurn(Handler handler) {
        wanted.add(handler);
    }

    /** Runs something later; in the loop only. */
    void after(long nanos, Runnable action) {
        timers.add(new Timer(System.nanoTime() + nanos, timerNumber++, action));
    }

    /**
     * Has the loop do something and waits for it; from any thread.
     *
     * @throws IllegalStateException when the loop has ended
     */
    <T> T call(Callable<T> action) throws Exception {
        if (inLoop()) {
            return action.call();
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        Runnable task =
                () -> {
                    try {
                        result.complete(action.call());
                    } catch (Exception e) {
                        result.completeExceptionally(e);
                    }
                };
        synchronized (tasks) {
            if (stopping) {
                throw new IllegalStateException("the xenstore server was closed");
            }
            tasks.add(task);
        }
        selector.wakeup();
        try {
            return result.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** Ends the loop and waits until it has ended. */
    void stop() {
        synchronized (tasks) {
            stopping = true;
        }
        selector.wakeup();
        if (!inLoop()) {
            try {
                thread.join(Duration.ofSeconds(10));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        try {
            while (!stopRequested()) {
                round();
            }
        } catch (IOException | ClosedSelectorException e) {
            LOG.error("the xenstore server stopped: {}", e.toString());
        } finally {
            synchronized (tasks) {
                stopping = true;
            }
            runTasks(); // nobody is left waiting
            atEnd.run();
            try {
                selector.close();
            } catch (IOException e) {
                LOG.debug("closing the selector: {}", e.toString());
            }
        }
    }

    private boolean stopRequested() {
        synchronized (tasks) {
            return stopping;
        }
    }

    private void round() throws IOException {
        if (!wanted.isEmpty()) {
            selector.selectNow();
        } else if (timers.isEmpty()) {
            selector.select();
        } else {
            long millis = (timers.peek().at - System.nanoTime() + 999_999) / 1_000_000;
            if (millis > 0) {
                selector.select(millis);
            } else {
                selector.selectNow();
            }
        }
        runTasks();
        runTimers();
        Set<Handler> turns = wanted;
        wanted = new LinkedHashSet<>();
        for (SelectionKey key : selector.selectedKeys()) {
            turns.add((Handler) key.attachment());
        }
        selector.selectedKeys().clear();
        turns.forEach(EventLoop::turn);
    }

    private static void turn(Handler handler) {
        try {
            handler.turn();
        } catch (RuntimeException | StackOverflowError e) {
            LOG.error("internal error in the xenstore server; a connection is given up", e);
            handler.giveUp();
        }
    }

    private void runTasks() {
        List<Runnable> due;
        synchronized (tasks) {
            due = new ArrayList<>(tasks);
            tasks.clear();
        }
        due.forEach(Runnable::run);
    }

    private void runTimers() {
        long now = System.nanoTime();
        while (!timers.isEmpty() && timers.peek().at - now <= 0) {
            timers.poll().action.run();
        }
    }
}
