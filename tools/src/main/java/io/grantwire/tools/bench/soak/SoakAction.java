package io.grantwire.tools.bench.soak;

import io.grantwire.gntalloc.emulated.HypervisorClient;
import io.grantwire.tools.Main;
import io.grantwire.tools.bench.BenchAction;
import io.grantwire.tools.bench.MachineFacts;
import io.grantwire.tools.bench.Tsc;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.bench.soak.TrafficBoard.Field;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.process.Child;
import io.grantwire.tools.process.SelfLauncher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench soak}: everything that may die does, again and again, and nothing is lost. */
@Command(
        name = "grantwire bench soak",
        sortOptions = false,
        description = {
            "kills and restarts at random beside hostile guests, every frame checked",
            "",
            "An emulated host, a switch, and four guests that exchange numbered frames with"
                    + " checksums, beside guests that write anything into what they share. The"
                    + " switch, guest 3 and the hostile ones are killed with SIGKILL at random and"
                    + " started again. At the end nothing may be lost, corrupt or left over."
        })
public final class SoakAction implements BenchAction {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration END = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofMillis(2);
    private static final int GUESTS = 4;
    private static final int KILLED = 3;
    private static final int MOST_HOSTILE = 8;
    private static final String MAC = "00:00:00:00:00:0";
    private static final int FRAMES = 100;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            description = "How long: seconds, or with s, m or h behind (default: 60).")
    String duration = "60";

    @Option(
            names = "--hostile",
            paramLabel = "N",
            description = "Hostile guests, 0 to 8 (default: 1).")
    int hostile = 1;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "What is done in which order follows from it (default: a new one).")
    Long seed;

    @Option(
            names = "--log",
            paramLabel = "FILE",
            description =
                    "Where to write what every process says (default: a temporary file, kept when"
                            + " something fails).")
    Path logFile;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this page.")
    boolean help;

    private final List<Child> children = new ArrayList<>();
    private final TrafficBoard[] boards = new TrafficBoard[GUESTS + 1];
    private final Child[] guests = new Child[GUESTS + 1];
    private final List<Child> hostiles = new ArrayList<>();
    private final List<Double> switchBack = new ArrayList<>();
    private final List<Double> guestBack = new ArrayList<>();
    private int hostileKills;
    private SplittableRandom random;
    private SelfLauncher launcher;
    private StopRequest stop;
    private Path dir;
    private Path hostDir;
    private SoakLog log;
    private Child host;
    private Child vswitch;
    private volatile boolean hostUp;
    private volatile boolean switchUp;

    @Override
    public void check() {
        time();
        if (hostile < 0 || hostile > MOST_HOSTILE) {
            throw new UsageException("--hostile " + hostile + ": 0 to " + MOST_HOSTILE);
        }
    }

    private Duration time() {
        if (!duration.matches("[0-9]{1,6}[smh]?")) {
            throw new UsageException("--duration '" + duration + "': write 90, 90s, 10m or 1h");
        }
        long n = Long.parseLong(duration.replaceAll("[smh]", ""));
        Duration time =
                switch (duration.charAt(duration.length() - 1)) {
                    case 'm' -> Duration.ofMinutes(n);
                    case 'h' -> Duration.ofHours(n);
                    default -> Duration.ofSeconds(n);
                };
        if (time.toSeconds() < 5 || time.toDays() > 30) {
            throw new UsageException("--duration " + duration + ": 5 seconds to 30 days");
        }
        return time;
    }

    @Override
    public int run(Context context) throws Exception {
        stop = context.stop();
        launcher = SelfLauncher.find(Main.class.getName());
        long chosen = seed != null ? seed : System.nanoTime() & 0xffff_ffffL;
        random = new SplittableRandom(chosen);
        log = SoakLog.open(logFile != null ? logFile : Files.createTempFile("gw-soak", ".log"));
        Path base = Path.of("/dev/shm");
        dir =
                Files.isWritable(base)
                        ? Files.createTempDirectory(base, "gw-soak")
                        : Files.createTempDirectory("gw-soak");
        hostDir = dir.resolve("host");
        context.err()
                .println("grantwire bench: soak of " + time().toSeconds() + " s, seed " + chosen);
        boolean ok = false;
        try {
            startAll();
            SoakChecks checks = soak(time());
            Report report =
                    new Report(
                                    "soak",
                                    "Soak of "
                                            + time().toSeconds()
                                            + " s beside "
                                            + hostile
                                            + " hostile guests, seed "
                                            + chosen,
                                    MachineFacts.of(List.of(), Tsc.here()))
                            .column("what", "what", "")
                            .column("start", "at the start", "%.0f")
                            .column("end", "at the end", "%.0f")
                            .column("at_most", "at most", "%.0f")
                            .column("ok", "ok", "");
            checks.rows().forEach(report::row);
            notes(report);
            report.note(checks.ok() ? "All of it holds." : "Not all of it holds.");
            context.out().print(json ? report.json() + "\n" : report.text());
            ok = checks.ok();
            return ok ? ExitStatus.OK : ExitStatus.FAILED;
        } catch (CommandFailure e) {
            lookAround();
            throw e;
        } finally {
            end();
            log.close();
            if (ok && logFile == null) {
                Files.delete(log.file());
            } else {
                context.err().println("grantwire bench: what was said is in " + log.file());
            }
        }
    }

    /** Has everybody who still can say how things are with them. */
    private void lookAround() {
        for (int i = 1; i <= GUESTS && boards[i] != null; i++) {
            log.line("guest " + i, boards[i].toString());
        }
        launch("status", line -> {}, "switch", "ctl", "--dir", hostDir.toString(), "status")
                .awaitEnd(END);
    }

    private void notes(Report report) {
        long sent = 0;
        long received = 0;
        long foreign = 0;
        for (int i = 1; i <= GUESTS; i++) {
            sent += boards[i].get(Field.SENT);
            received += boards[i].get(Field.RECEIVED);
            foreign += boards[i].get(Field.FOREIGN);
        }
        report.note(
                "frames sent: " + sent + ", received: " + received + ", of strangers: " + foreign);
        report.note("switch killed: " + times(switchBack));
        report.note("guest " + KILLED + " killed: " + times(guestBack));
        report.note("hostile guests killed: " + hostileKills);
    }

    private static String times(List<Double> millis) {
        if (millis.isEmpty()) {
            return "0";
        }
        List<Double> sorted = millis.stream().sorted().toList();
        return String.format(
                Locale.ROOT,
                "%d, traffic back after %.0f ms in the middle, %.0f ms at worst, from the start of"
                        + " the new process",
                sorted.size(),
                sorted.get(sorted.size() / 2),
                sorted.getLast());
    }

    // What there is.

    private void startAll() throws IOException {
        host =
                launch(
                        "host",
                        line -> hostUp |= line.contains("emulated host in"),
                        "host",
                        "--dir",
                        hostDir.toString());
        await(() -> hostUp, PATIENCE, "the host does not start");
        startSwitch();
        for (int i = 1; i <= GUESTS; i++) {
            boards[i] = TrafficBoard.open(dir.resolve("board" + i));
            guests[i] = startGuest(i);
        }
        awaitTraffic();
    }

    private Child launch(String name, java.util.function.Consumer<String> onLine, String... args) {
        log.line("soak", "start " + name);
        Child child =
                Child.start(
                        name,
                        launcher.command(List.of(args)),
                        line -> {
                            log.line(name, line);
                            onLine.accept(line);
                        },
                        line -> log.line(name, line));
        children.add(child);
        return child;
    }

    /** It keeps frames while a guest has no buffer, so that none is lost to haste. */
    private void startSwitch() {
        switchUp = false;
        List<String> args =
                new ArrayList<>(
                        List.of(
                                "switch",
                                "--dir",
                                hostDir.toString(),
                                "-p",
                                "1",
                                "--rx-retry",
                                "60000"));
        for (int i = 1; i <= GUESTS; i++) {
            // A hostile neighbour would be glad of the address of one that is away for a moment.
            args.add("--mac");
            args.add(i + "=" + MAC + i);
        }
        vswitch =
                launch(
                        "switch",
                        line -> switchUp |= line.contains("joined the emulated host"),
                        args.toArray(String[]::new));
    }

    private Child startGuest(int i) {
        int peer = i % 2 == 1 ? i + 1 : i - 1;
        return launch(
                "guest " + i,
                line -> {},
                "soak-guest",
                hostDir.toString(),
                Integer.toString(i),
                MAC + i,
                MAC + peer,
                dir.resolve("board" + i).toString(),
                "500");
    }

    private Child startHostile(int i) {
        return launch(
                "hostile guest " + i,
                line -> {},
                "soak-hostile",
                hostDir.toString(),
                Integer.toString(GUESTS + 1 + i),
                Long.toString(random.nextLong()));
    }

    // What happens.

    private SoakChecks soak(Duration time) throws IOException {
        long end = System.nanoTime() + time.toNanos();
        // The JVMs' first seconds are their own.
        pause(Duration.ofMillis(Math.min(10_000, time.toMillis() / 4)));
        int mapped = mappedPages();
        ProcessFacts[] before = facts();
        for (int i = 0; i < hostile; i++) {
            hostiles.add(startHostile(i));
        }
        while (System.nanoTime() < end && !stop.requested()) {
            pause(Duration.ofMillis(random.nextInt(100, 1500)));
            switch (random.nextInt(hostile > 0 ? 3 : 2)) {
                case 0 -> killSwitch();
                case 1 -> killGuest();
                default -> killHostile(random.nextInt(hostile));
            }
            awaitTraffic();
        }
        hostiles.forEach(Child::kill);
        hostiles.forEach(child -> child.awaitEnd(END));
        awaitTraffic();
        settle(mapped);
        ProcessFacts[] after = facts();
        SoakChecks checks = new SoakChecks();
        checks.pair(1, boards[1], switchBack.size());
        checks.pair(2, boards[2], switchBack.size());
        checks.killed(3, boards[3]);
        checks.killed(4, boards[4]);
        String[] names = {"host", "switch", "guest 1", "guest 2", "guest 4"};
        for (int i = 0; i < names.length; i++) {
            checks.process(names[i], before[i], after[i]);
        }
        checks.mapped(mapped, mappedPages());
        return checks;
    }

    private ProcessFacts[] facts() throws IOException {
        ProcessFacts[] facts = new ProcessFacts[5];
        long[] pids = {
            host.pid(), vswitch.pid(), guests[1].pid(), guests[2].pid(), guests[4].pid()
        };
        for (int i = 0; i < pids.length; i++) {
            facts[i] = ProcessFacts.of(pids[i]);
        }
        return facts;
    }

    private void killSwitch() {
        kill(vswitch);
        long started = System.nanoTime();
        startSwitch();
        awaitBack(started, switchBack, 1, 2, 3, 4);
    }

    private void killGuest() {
        kill(guests[KILLED]);
        long started = System.nanoTime();
        guests[KILLED] = startGuest(KILLED);
        awaitBack(started, guestBack, 3, 4);
    }

    private void killHostile(int i) {
        kill(hostiles.get(i));
        hostiles.set(i, startHostile(i));
        hostileKills++;
    }

    private void kill(Child child) {
        log.line("soak", "kill " + child.name());
        child.kill();
        child.awaitEnd(END);
        children.remove(child);
    }

    private void awaitBack(long started, List<Double> times, int... which) {
        await(
                () -> Arrays.stream(which).allMatch(i -> boards[i].get(Field.LATEST) > started),
                PATIENCE,
                "no traffic after a kill");
        times.add((System.nanoTime() - started) / 1e6);
    }

    private void awaitTraffic() {
        long[] before = new long[GUESTS + 1];
        for (int i = 1; i <= GUESTS; i++) {
            before[i] = boards[i].get(Field.RECEIVED);
        }
        await(
                () -> {
                    for (int i = 1; i <= GUESTS; i++) {
                        if (boards[i].get(Field.RECEIVED) < before[i] + FRAMES) {
                            return false;
                        }
                    }
                    return true;
                },
                PATIENCE,
                "no traffic: " + Arrays.toString(boards));
    }

    /** What the last killed guest had is unmapped in a moment. */
    private void settle(int mapped) {
        long end = System.nanoTime() + END.toNanos();
        while (mappedPages() != mapped && System.nanoTime() < end) {
            pause(Duration.ofMillis(50));
        }
    }

    private int mappedPages() {
        try (HypervisorClient probe =
                HypervisorClient.connect(hostDir.resolve("hypervisor.sock"), 0, "")) {
            return probe.usage().pagesMapped();
        }
    }

    /** Time goes by, unless an end is asked for. */
    private void pause(Duration time) {
        try {
            stop.await(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    private void await(BooleanSupplier condition, Duration atMost, String otherwise) {
        long end = System.nanoTime() + atMost.toNanos();
        while (!condition.getAsBoolean()) {
            children.forEach(Child::check);
            if (System.nanoTime() > end) {
                throw new CommandFailure(otherwise + " within " + atMost.toSeconds() + " s");
            }
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted");
            }
        }
    }

    private void end() throws IOException {
        for (Child child : children.reversed()) {
            child.askToEnd();
            child.kill();
            child.awaitEnd(END);
        }
        try (Stream<Path> files = Files.walk(dir)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
