package io.grantwire.tools.bench;

import io.grantwire.tools.bench.peer.Sample;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.StopRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** One measurement of the packet path: two processes, warmed up, then watched for a while. */
public final class PathRun {
    private final PathCase pathCase;
    private final FrameSizes size;
    private final List<Integer> cpus;
    private Duration warmup = Duration.ofSeconds(4);
    private Duration duration = Duration.ofSeconds(5);
    private List<String> more = List.of();
    private Predicate<String> dropFlags = flag -> false;
    private List<String> addFlags = List.of();
    private int guests;

    /**
     * @param cpus of the back end's thread and the guests'
     */
    public PathRun(PathCase pathCase, FrameSizes size, List<Integer> cpus) {
        this.pathCase = pathCase;
        this.size = size;
        this.cpus = cpus;
        this.guests = pathCase == PathCase.GUEST_TO_GUEST ? 2 : 1;
    }

    /** How long to run before it counts, and how long it counts. */
    public PathRun times(Duration before, Duration counted) {
        warmup = before;
        duration = counted;
        return this;
    }

    /** Another number of guests. */
    public PathRun guests(int n) {
        guests = n;
        return this;
    }

    /** More options for both peers. */
    public PathRun peerOptions(List<String> options) {
        more = options;
        return this;
    }

    /** Other JVM options for both peers. */
    public PathRun jvmFlags(Predicate<String> drop, List<String> add) {
        dropFlags = drop;
        addFlags = add;
        return this;
    }

    /** Runs it. */
    public PathResult run(StopRequest stop, Tsc tsc) throws IOException {
        try (Rig rig = Rig.create(dropFlags, addFlags, stop)) {
            rig.start(args(cpus.get(0)), args(cpus.get(1)));
            rig.go();
            rig.run(warmup);
            int from = Math.max(0, counted(rig).size() - 1);
            rig.run(duration.plusMillis(100));
            List<Sample> samples = counted(rig);
            return result(
                    samples.subList(from, samples.size()),
                    rig.hostSamples(),
                    rig.guestSamples(),
                    tsc);
        }
    }

    private List<Sample> counted(Rig rig) {
        return pathCase.countedByHost() ? rig.hostSamples() : rig.guestSamples();
    }

    private List<String> args(int cpu) {
        List<String> args = new ArrayList<>();
        args.addAll(List.of("--case", pathCase.key(), "--size", size.name()));
        args.addAll(List.of("--cpu", Integer.toString(cpu)));
        args.addAll(List.of("--guests", Integer.toString(guests)));
        args.addAll(more);
        return args;
    }

    private PathResult result(
            List<Sample> counted, List<Sample> host, List<Sample> guest, Tsc tsc) {
        if (counted.size() < 2) {
            throw new CommandFailure("too few samples; give --duration 2 or more");
        }
        List<Double> rates = new ArrayList<>();
        for (int i = 1; i < counted.size(); i++) {
            Sample a = counted.get(i - 1);
            Sample b = counted.get(i);
            rates.add(1e3 * (b.frames() - a.frames()) / (b.nanos() - a.nanos()));
        }
        Sample first = counted.getFirst();
        Sample last = counted.getLast();
        long frames = last.frames() - first.frames();
        if (frames <= 0) {
            throw new CommandFailure(
                    pathCase.key() + ", " + size.name() + " bytes: no frame arrived");
        }
        double allocated =
                allocated(host, first.nanos(), last.nanos())
                        + allocated(guest, first.nanos(), last.nanos());
        Spread mpps = Spread.of(rates);
        return new PathResult(
                pathCase,
                size,
                mpps,
                tsc.cycles(1e3 / mpps.median()),
                tsc.cycles(busyPerFrame(host, first.nanos())),
                allocated / frames,
                worstGap(host, first.nanos()),
                worstGap(guest, first.nanos()),
                host.getLast().residentBytes(),
                guest.getLast().residentBytes());
    }

    /** Bytes allocated by a peer's polling thread in about that time. */
    private static long allocated(List<Sample> samples, long from, long to) {
        long before = 0;
        long after = 0;
        for (Sample s : samples) {
            if (s.nanos() <= from) {
                before = s.allocated();
            }
            if (s.nanos() <= to) {
                after = s.allocated();
            }
        }
        return after - before;
    }

    /** Nanoseconds of the back end's busy rounds for each frame that it has counted. */
    private static double busyPerFrame(List<Sample> samples, long from) {
        List<Sample> counted = samples.stream().filter(s -> s.nanos() >= from).toList();
        if (counted.size() < 2) {
            return 0;
        }
        long frames = counted.getLast().frames() - counted.getFirst().frames();
        long busy = counted.getLast().busyNanos() - counted.getFirst().busyNanos();
        return frames == 0 ? 0 : (double) busy / frames;
    }

    private static long worstGap(List<Sample> samples, long from) {
        return samples.stream()
                .filter(s -> s.nanos() > from)
                .mapToLong(Sample::worstGap)
                .max()
                .orElse(0);
    }
}
