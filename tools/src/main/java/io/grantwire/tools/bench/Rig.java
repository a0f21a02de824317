package io.grantwire.tools.bench;

import io.grantwire.tools.Main;
import io.grantwire.tools.bench.peer.Sample;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.process.Child;
import io.grantwire.tools.process.SelfLauncher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** The two processes of a measurement: the host with the back end, and the guests. */
public final class Rig implements AutoCloseable {
    /** Longest time for a process to start, and for one to see the other. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Duration END = Duration.ofSeconds(15);
    private static final long LOOK_MILLIS = 2;

    /** A process and what it has said. */
    private static final class Peer {
        final Set<String> events = new HashSet<>();
        final List<Sample> samples = new ArrayList<>();
        Child child;

        synchronized void hear(String line) {
            Sample sample = Sample.parse(line);
            if (sample != null) {
                samples.add(sample);
            } else if (line.startsWith("{\"event\":\"")) {
                events.add(line.substring(10, line.lastIndexOf('"')));
            }
        }

        synchronized boolean said(String event) {
            return events.contains(event);
        }

        synchronized List<Sample> samples() {
            return List.copyOf(samples);
        }
    }

    private final StopRequest stop;
    private final SelfLauncher launcher;
    private final Path dir;
    private final Peer host = new Peer();
    private final Peer guest = new Peer();
    private long startedNanos;
    private long upNanos;

    private Rig(SelfLauncher launcher, Path dir, StopRequest stop) {
        this.launcher = launcher;
        this.dir = dir;
        this.stop = stop;
    }

    /**
     * A rig in a directory of its own; nothing runs yet.
     *
     * @param drop options of this JVM's that the processes do not get
     * @param add JVM options that only they get
     */
    public static Rig create(Predicate<String> drop, List<String> add, StopRequest stop)
            throws IOException {
        Path base = Path.of("/dev/shm");
        Path dir =
                Files.isWritable(base)
                        ? Files.createTempDirectory(base, "gw-bench")
                        : Files.createTempDirectory("gw-bench");
        return new Rig(SelfLauncher.find(Main.class.getName()).with(drop, add), dir, stop);
    }

    /** Starts the host, then the guests, and waits until they see each other. */
    public void start(List<String> hostArgs, List<String> guestArgs) {
        startedNanos = System.nanoTime();
        launch(host, "host", hostArgs);
        await(() -> host.said("listening"), "the host does not start");
        upNanos = System.nanoTime();
        launch(guest, "guest", guestArgs);
        await(() -> guest.said("listening"), "the guests do not start");
        await(
                () -> host.said("connected") && guest.said("connected"),
                "host and guests do not see each other");
    }

    private void launch(Peer peer, String side, List<String> more) {
        List<String> args =
                new ArrayList<>(List.of("bench-peer", "--dir", dir.resolve("host").toString()));
        args.addAll(List.of("--side", side));
        args.addAll(more);
        peer.child = Child.start(side, launcher.command(args), peer::hear);
    }

    /** Has both sides begin. */
    public void go() {
        // The receiver's first, so that it misses nothing.
        guest.child.tell("go");
        host.child.tell("go");
    }

    /** Lets time go by, and looks whether all is well. */
    public void run(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        await(() -> System.nanoTime() - end >= 0, time.plus(PATIENCE), "");
    }

    /** What the host has counted. */
    public List<Sample> hostSamples() {
        return host.samples();
    }

    /** What the guests have counted. */
    public List<Sample> guestSamples() {
        return guest.samples();
    }

    /** When the host's process was started, on the clock of {@link Sample#nanos}. */
    public long startedNanos() {
        return startedNanos;
    }

    /** When it was up, and the guests' process was started. */
    public long upNanos() {
        return upNanos;
    }

    private void await(BooleanSupplier condition, String otherwise) {
        await(condition, PATIENCE, otherwise);
    }

    private void await(BooleanSupplier condition, Duration atMost, String otherwise) {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.getAsBoolean()) {
            for (Peer peer : List.of(host, guest)) {
                if (peer.child != null) {
                    peer.child.check();
                }
            }
            if (stop.requested()) {
                throw new CancellationException("interrupted");
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new CommandFailure(otherwise + " within " + atMost.toSeconds() + " s");
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted");
            }
        }
    }

    /** Ends the processes, guests first, and removes what they left. */
    @Override
    public void close() throws IOException {
        for (Peer peer : List.of(guest, host)) {
            if (peer.child != null) {
                peer.child.askToEnd();
                peer.child.awaitEnd(END);
            }
        }
        deleteAll(dir);
    }

    private static void deleteAll(Path path) throws IOException {
        if (Files.isDirectory(path, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            try (java.util.stream.Stream<Path> inside = Files.list(path)) {
                for (Path one : inside.toList()) {
                    deleteAll(one);
                }
            }
        }
        Files.deleteIfExists(path);
    }
}
