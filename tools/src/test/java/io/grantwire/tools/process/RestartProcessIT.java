package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.gntalloc.emulated.HypervisorClient;
import io.grantwire.tools.bench.soak.TrafficBoard;
import io.grantwire.tools.bench.soak.TrafficBoard.Field;
import io.grantwire.tools.bench.soak.TrafficGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The back end, and guests, killed with SIGKILL under load on an emulated host of its own process:
 * the others keep running, and traffic comes back by itself. {@code -Drestart.cycles=100} for more
 * cycles than a build has time for.
 */
@Tag("machine")
class RestartProcessIT {
    private static final int CYCLES = Integer.getInteger("restart.cycles", 5);
    private static final String MAC = "00:00:00:00:00:0";

    /** Back after the new back end says that it joined the host. */
    private static final long BACK_NANOS = 1_000_000_000L;

    /**
     * Frames that one device's peer may get twice for each kill: those of one burst, delivered but
     * not yet handed back to their sender.
     */
    private static final int DUPLICATES_PER_KILL = 32;

    @TempDir Path dir;
    private Path hostDir;
    private final SplittableRandom random = new SplittableRandom(1);
    private final List<Program> programs = new ArrayList<>();
    private final List<Process> guests = new ArrayList<>();
    private Program host;

    @BeforeEach
    void startHost() {
        hostDir = dir.resolve("h");
        host = start("host", "--dir", hostDir);
        host.awaitOut("emulated host in " + hostDir);
    }

    @AfterEach
    void end() throws Exception {
        for (Process guest : guests) {
            guest.destroyForcibly().waitFor();
        }
        programs.reversed().forEach(Program::close);
    }

    private Program start(Object... args) {
        Program program = Program.start(args);
        programs.add(program);
        return program;
    }

    /** A switch that keeps frames while a guest has no buffer, so that none is lost to haste. */
    private Program startSwitch() {
        return start("switch", "--dir", hostDir, "-p", "1", "--rx-retry", "60000");
    }

    private Process startGuest(int domid, int peer) throws IOException {
        Process guest =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Xmx128m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                TrafficGuest.class.getName(),
                                hostDir.toString(),
                                Integer.toString(domid),
                                MAC + domid,
                                MAC + peer,
                                dir.resolve("board" + domid).toString(),
                                "500")
                        .redirectErrorStream(true)
                        .redirectOutput(dir.resolve("guest" + domid + ".log").toFile())
                        .start();
        guests.add(guest);
        return guest;
    }

    private TrafficBoard board(int domid) throws IOException {
        return TrafficBoard.open(dir.resolve("board" + domid));
    }

    private void awaitTraffic(String when, TrafficBoard... boards) {
        long[] before = Arrays.stream(boards).mapToLong(b -> b.get(Field.RECEIVED)).toArray();
        await(
                () -> {
                    for (int i = 0; i < boards.length; i++) {
                        if (boards[i].get(Field.RECEIVED) < before[i] + 100) {
                            return false;
                        }
                    }
                    return true;
                },
                when + ": " + Arrays.toString(boards));
    }

    private void await(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + 30_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, () -> "in vain: " + what + "\n" + logs());
            sleep(1);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private String logs() {
        StringBuilder s = new StringBuilder(programs.getLast().out());
        s.append(programs.getLast().err());
        try (Stream<Path> files = Files.list(dir)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".log")).toList()) {
                s.append(file.getFileName()).append(":\n").append(Files.readString(file));
            }
        } catch (IOException e) {
            s.append(e);
        }
        return s.toString();
    }

    /** Pages that domain 0 has mapped, in whichever process. */
    private int mappedPages() {
        try (HypervisorClient probe =
                HypervisorClient.connect(hostDir.resolve("hypervisor.sock"), 0, "")) {
            return probe.usage().pagesMapped();
        }
    }

    /** What a process has open. */
    private static long files(long pid) throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return files.count();
        }
    }

    private static void assertNoMore(long before, long pid, String whose) throws IOException {
        // One more may be on its way out.
        assertTrue(files(pid) <= before + 1, whose + " files: " + files(pid) + ", not " + before);
    }

    private static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        assertTrue(process.waitFor(10, TimeUnit.SECONDS), "it does not die");
    }

    @Test
    void theBackEndMayBeKilledAgainAndAgain() throws Exception {
        Program vswitch = startSwitch();
        Process one = startGuest(1, 2);
        Process two = startGuest(2, 1);
        TrafficBoard[] boards = {board(1), board(2)};
        awaitTraffic("traffic at first", boards);
        int mapped = mappedPages();
        long oneHas = files(one.pid());
        long hostHas = files(host.pid());

        List<Long> fromUp = new ArrayList<>();
        List<Long> fromStart = new ArrayList<>();
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            sleep(random.nextInt(50, 300));
            vswitch.handle().destroyForcibly();
            vswitch.awaitEnd();
            long[] before = new long[2];
            for (int i = 0; i < 2; i++) {
                before[i] = boards[i].get(Field.LATEST);
            }
            long started = System.nanoTime();
            Program next = startSwitch();
            programs.remove(vswitch);
            vswitch = next;
            await(() -> next.out().contains("joined the emulated host"), "a new switch");
            long up = System.nanoTime();
            await(
                    () ->
                            boards[0].get(Field.LATEST) > Math.max(started, before[0])
                                    && boards[1].get(Field.LATEST) > Math.max(started, before[1]),
                    "traffic after kill " + cycle + ": " + Arrays.toString(boards));
            long back = System.nanoTime();
            fromUp.add(back - up);
            fromStart.add(back - started);
            awaitTraffic("load after kill " + cycle, boards);
        }
        assertTrue(one.isAlive() && two.isAlive(), "a guest has died");
        assertEquals(one.pid(), boards[0].get(Field.PID));
        assertEquals(two.pid(), boards[1].get(Field.PID));
        report("back end killed", fromStart, fromUp, boards);
        for (TrafficBoard board : boards) {
            assertEquals(0, board.get(Field.CORRUPT), board::toString);
            assertEquals(0, board.get(Field.MISSING), board::toString);
            assertTrue(
                    board.get(Field.DUPLICATES) <= (long) CYCLES * DUPLICATES_PER_KILL,
                    board::toString);
        }
        // The one in the middle: the machine may be busy with something else for a while.
        assertTrue(middle(fromUp) <= BACK_NANOS, "back after " + middle(fromUp) / 1e9 + " s");
        assertEquals(mapped, mappedPages(), "mapped pages");
        assertNoMore(oneHas, one.pid(), "a guest's");
        assertNoMore(hostHas, host.pid(), "the host's");
        vswitch.interrupt();
        assertEquals(0, vswitch.awaitEnd(), vswitch::err);
        await(() -> mappedPages() == 0, "pages stay mapped");
    }

    @Test
    void aGuestMayBeKilledAgainAndAgain() throws Exception {
        Program vswitch = startSwitch();
        Process one = startGuest(1, 2);
        Process two = startGuest(2, 1);
        startGuest(4, 3);
        Process three = startGuest(3, 4);
        TrafficBoard[] pair = {board(1), board(2)};
        TrafficBoard[] others = {board(3), board(4)};
        awaitTraffic("traffic at first", pair);
        awaitTraffic("traffic at first", others);
        int mapped = mappedPages();
        long hostHas = files(host.pid());
        long switchHas = files(vswitch.pid());

        List<Long> fromStart = new ArrayList<>();
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            sleep(random.nextInt(50, 300));
            kill(three);
            guests.remove(three);
            long started = System.nanoTime();
            three = startGuest(3, 4);
            long pid = three.pid();
            await(
                    () ->
                            others[0].get(Field.PID) == pid
                                    && others[0].get(Field.LATEST) > started
                                    && others[1].get(Field.LATEST) > started,
                    "traffic after kill " + cycle + ": " + Arrays.toString(others));
            fromStart.add(System.nanoTime() - started);
            awaitTraffic("the others' traffic", pair);
        }
        assertTrue(one.isAlive() && two.isAlive(), "a guest has died");
        report("guest killed", fromStart, fromStart, pair);
        for (TrafficBoard board : pair) {
            assertEquals(0, board.get(Field.CORRUPT), board::toString);
            assertEquals(0, board.get(Field.MISSING), board::toString);
            assertEquals(0, board.get(Field.DUPLICATES), board::toString);
        }
        for (TrafficBoard board : others) {
            assertEquals(0, board.get(Field.CORRUPT), board::toString);
        }
        await(() -> mappedPages() == mapped, "mapped pages");
        assertNoMore(hostHas, host.pid(), "the host's");
        assertNoMore(switchHas, vswitch.pid(), "the switch's");
    }

    private static long worst(List<Long> nanos) {
        return nanos.stream().mapToLong(Long::longValue).max().orElse(0);
    }

    private static long middle(List<Long> nanos) {
        return nanos.stream().sorted().toList().get(nanos.size() / 2);
    }

    private static void report(
            String what, List<Long> fromStart, List<Long> fromUp, TrafficBoard[] boards) {
        System.out.printf(
                "%s, %d cycles: traffic back after %d ms in the middle, %d ms at worst (%d ms from"
                        + " the process's start); %s%n",
                what,
                fromUp.size(),
                middle(fromUp) / 1_000_000,
                worst(fromUp) / 1_000_000,
                worst(fromStart) / 1_000_000,
                Arrays.toString(boards));
    }
}
