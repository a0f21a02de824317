package io.grantwire.tools.testpmd;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Reads another source on a thread of its own, so that the command thread sees a request to stop
 * while the source waits for input, which nothing can interrupt.
 */
final class AsyncLines implements LineSource {
    private static final long LOOK_MILLIS = 50;

    private final LineSource source;
    private final BooleanSupplier stop;
    private final SynchronousQueue<Optional<String>> handover = new SynchronousQueue<>();
    private final Thread thread;
    private volatile IOException failure;
    private boolean first = true;

    /**
     * @param stop asked while waiting; true ends the input
     */
    AsyncLines(LineSource source, BooleanSupplier stop) {
        this.source = source;
        this.stop = stop;
        this.thread = new Thread(this::read, "commands");
        thread.setDaemon(true);
    }

    private void read() {
        try {
            String line;
            do {
                line = source.next();
                handover.put(Optional.ofNullable(line));
            } while (line != null);
        } catch (IOException e) {
            failure = e;
            offerEnd();
        } catch (InterruptedException e) {
            // The command thread has gone.
        }
    }

    private void offerEnd() {
        try {
            handover.put(Optional.empty());
        } catch (InterruptedException e) {
            // The command thread has gone.
        }
    }

    @Override
    public String next() throws IOException {
        if (first) {
            first = false;
            thread.start();
        }
        try {
            while (!stop.getAsBoolean()) {
                Optional<String> line = handover.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                if (line != null) {
                    if (failure != null) {
                        throw failure;
                    }
                    return line.orElse(null);
                }
            }
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        thread.interrupt();
        source.close();
    }
}
