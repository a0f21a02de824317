package io.grantwire.tools.bench.dpdk;

import io.grantwire.tools.bench.FrameSizes;
import io.grantwire.tools.bench.PathCase;
import io.grantwire.tools.bench.Spread;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.process.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * DPDK's counterpart of our rig: a testpmd with net_vhost, and one with net_virtio_user, joined by
 * vhost-user; they share nothing but the guest's memory. The same forwarding modes as ours.
 */
final class TestpmdPair implements AutoCloseable {
    private static final Pattern RX_PPS = Pattern.compile("\\s*Rx-pps:\\s+(\\d+)\\s.*");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration END = Duration.ofSeconds(10);
    private static final long LOOK_MILLIS = 10;
    private static final int CRC = 4;

    private final Path program;
    private final PathCase pathCase;
    private final FrameSizes size;
    private final List<Integer> cpus;
    private final StopRequest stop;
    private final Path dir;
    private final List<Child> children = new ArrayList<>();
    private final List<Double> rates = new ArrayList<>();

    TestpmdPair(
            Path program, PathCase pathCase, FrameSizes size, List<Integer> cpus, StopRequest stop)
            throws IOException {
        this.program = program;
        this.pathCase = pathCase;
        this.size = size;
        this.cpus = cpus;
        this.stop = stop;
        this.dir = Files.createTempDirectory("gw-dpdk");
    }

    /**
     * Runs the pair.
     *
     * @return millions of frames a second, in each second that counted
     */
    Spread run(Duration warmup, Duration counted) {
        Path socket = dir.resolve("vhost.sock");
        String back =
                switch (pathCase) {
                    case TO_GUEST -> "txonly";
                    case FROM_GUEST -> "rxonly";
                    default -> "flowgen";
                };
        String front =
                switch (pathCase) {
                    case TO_GUEST -> "rxonly";
                    case FROM_GUEST -> "txonly";
                    default -> "mac";
                };
        boolean host = pathCase.countedByHost();
        start("DPDK's back end", backEnd(socket, back), host);
        await(() -> Files.exists(socket), "DPDK's back end does not start");
        start("DPDK's front end", frontEnd(socket, front), !host);
        int warm = (int) warmup.toSeconds();
        int needed = warm + (int) counted.toSeconds();
        await(() -> measured() >= needed, "DPDK's testpmd prints no rates");
        synchronized (rates) {
            return Spread.of(rates.subList(warm, needed));
        }
    }

    private int measured() {
        synchronized (rates) {
            return rates.size();
        }
    }

    private void start(String name, List<String> command, boolean counts) {
        children.add(
                Child.start(
                        name,
                        command,
                        line -> {
                            double mpps = parse(line);
                            if (counts && mpps > 0) {
                                synchronized (rates) {
                                    rates.add(mpps);
                                }
                            }
                        }));
    }

    /** The rate in a line of testpmd's statistics in Mpps; 0 in any other line. */
    static double parse(String line) {
        Matcher m = RX_PPS.matcher(line);
        return m.matches() ? Long.parseLong(m.group(1)) / 1e6 : 0;
    }

    private List<String> backEnd(Path socket, String mode) {
        List<String> command = eal(cpus.get(0), "vh");
        command.addAll(List.of("--vdev", "net_vhost0,iface=" + socket + ",queues=1", "--"));
        return withMode(command, mode);
    }

    private List<String> frontEnd(Path socket, String mode) {
        List<String> command = eal(cpus.get(1), "vu");
        // Without it virtio-user has more memory regions than vhost-user can pass on.
        command.add("--single-file-segments");
        command.addAll(
                List.of(
                        "--vdev",
                        "net_virtio_user0,path=" + socket + ",queues=1,queue_size=256",
                        "--"));
        return withMode(command, mode);
    }

    private List<String> eal(int cpu, String prefix) {
        String unique = DpdkFiles.prefix(prefix);
        return new ArrayList<>(
                List.of(
                        program.toString(),
                        "--lcores",
                        "0@" + cpu + ",1@" + cpu,
                        "-m",
                        "512",
                        "--no-pci",
                        "--file-prefix=" + unique));
    }

    private List<String> withMode(List<String> command, String mode) {
        int length = size.cycle().getFirst() + (mode.equals("flowgen") ? CRC : 0);
        command.addAll(
                List.of(
                        "--forward-mode=" + mode,
                        "--txpkts=" + length,
                        "--stats-period",
                        "1",
                        "--no-mlockall",
                        "--total-num-mbufs=16384"));
        return command;
    }

    private void await(BooleanSupplier condition, String otherwise) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        int seen = measured();
        while (!condition.getAsBoolean()) {
            children.forEach(Child::check);
            if (stop.requested()) {
                throw new CancellationException("interrupted");
            }
            if (measured() > seen) {
                seen = measured();
                deadline = System.nanoTime() + PATIENCE.toNanos();
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new CommandFailure(otherwise + " within " + PATIENCE.toSeconds() + " s");
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted");
            }
        }
    }

    /** Ends both, the front end first. */
    @Override
    public void close() throws IOException {
        for (Child child : children.reversed()) {
            child.terminate();
            child.awaitEnd(END);
        }
        DpdkFiles.removeOurs();
        Files.deleteIfExists(dir.resolve("vhost.sock"));
        Files.deleteIfExists(dir);
    }
}
