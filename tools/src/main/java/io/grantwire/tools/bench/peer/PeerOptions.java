package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.lcore.IdleStrategy;
import io.grantwire.tools.bench.FrameSizes;
import io.grantwire.tools.bench.PathCase;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What a peer is told on its command line. */
@picocli.CommandLine.Command(
        name = "grantwire bench-peer",
        description = "One process of a benchmark; grantwire bench starts it.")
public final class PeerOptions {
    @Option(names = "--dir", paramLabel = "DIR", required = true)
    Path dir;

    @Option(names = "--side", paramLabel = "host|guest", required = true)
    Side.Kind side;

    @Option(names = "--case", paramLabel = "CASE", required = true)
    String pathCase;

    @Option(names = "--size", paramLabel = "BYTES")
    String size = "64";

    @Option(names = "--cpu", paramLabel = "N")
    int cpu = -1;

    @Option(names = "--burst", paramLabel = "N")
    int burst = 32;

    @Option(names = "--guests", paramLabel = "N", description = "Guests that take part.")
    int guests = 1;

    @Option(
            names = "--busy",
            paramLabel = "N",
            description = "Guests that frames are for; the others are idle.")
    int busy = -1;

    @Option(
            names = "--scale",
            description = "The whole switch, with a wire that makes frames for all guests.")
    boolean scale;

    @Option(
            names = "--load",
            paramLabel = "MPPS",
            description = "Millions of frames a second that the wire brings; 0: always some.")
    double load;

    @Option(
            names = "--rx-usecs",
            paramLabel = "USEC",
            description = "How long frames from the wire may wait for more.")
    Integer rxUsecs;

    @Option(names = "--gaps", description = "Look at the clock in every round.")
    boolean gaps;

    @Option(
            names = "--garbage",
            paramLabel = "MB",
            description = "Megabytes of garbage that another thread makes in a second.")
    int garbage;

    @Option(names = "--interval", paramLabel = "MS", description = "Time between two samples.")
    int interval = 1000;

    @Option(
            names = "--rest",
            description = "Polling threads rest without work, as those of all commands do.")
    boolean rest;

    @Option(names = "--now", description = "Begin without being told to.")
    boolean now;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true)
    boolean help;

    PathCase pathCase() {
        return PathCase.parse(pathCase);
    }

    FrameSizes sizes() {
        return FrameSizes.parse(size);
    }

    /** What polling threads do without work. Spinning for good gives the steadiest figures. */
    IdleStrategy idle() {
        return rest ? new IdleStrategy.Backoff() : new IdleStrategy.BusySpin();
    }

    int busyGuests() {
        return busy < 0 ? guests : busy;
    }
}
