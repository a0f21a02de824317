package io.grantwire.bed.outside;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs the NIC test bed's machine and is what its cards are wired to; uses nothing of Grantwire, whose drivers are to be judged.
 *
 * <pre>
 *   NicBed snapshot DIR SOCKETS STATE CARD…     boots, waits until the guest is ready, saves it in STATE
 *   NicBed run      DIR SOCKETS STATE CARD…     starts from STATE, or boots if it is not there, and runs the guest's job
 *   NicBed shell    DIR SOCKETS STATE CARD…     boots with the guest's console on this terminal
 * </pre>
 *
 * DIR/qemu.args has QEMU's command line, a word a line; DIR/console.log gets the guest's console. The exit status is 0 when the job
 * ended, something passed and nothing failed.
 */
public final class NicBed {
    private static final long STEP_MILLIS = 120_000;

    private final String mode;
    private final Path dir;
    private final Path state;
    private final long limitSeconds;
    private final Map<String, NetPort> ports = new LinkedHashMap<>();
    private final Qmp qmp;
    private final Control control;
    private final Path sockets;
    private final long begun = System.nanoTime();
    private volatile boolean ready;
    private volatile String end;
    private int passed;
    private int failed;

    private NicBed(String[] args) throws IOException {
        mode = args[0];
        dir = Path.of(args[1]);
        sockets = Path.of(args[2]);
        state = Path.of(args[3]);
        limitSeconds = Long.getLong("limit", 900);
        for (int i = 4; i < args.length; i++) {
            ports.put(args[i], new NetPort(args[i], sockets.resolve(args[i])));
        }
        qmp = new Qmp(sockets.resolve("qmp"));
        control = new Control(sockets.resolve("wire"), ports, qmp, mode.equals("snapshot"));
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        System.exit(new NicBed(args).run());
    }

    private int run() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(Files.readAllLines(dir.resolve("qemu.args")));
        command.addAll(List.of("-qmp", "unix:" + sockets.resolve("qmp") + ",server=on,wait=off"));
        boolean restore = mode.equals("run") && Files.exists(state);
        if (restore) {
            command.addAll(List.of("-incoming", "file:" + state));
        }
        boolean shell = mode.equals("shell");
        command.addAll(List.of("-serial", "stdio"));
        ProcessBuilder builder = new ProcessBuilder(command);
        if (shell) {
            builder.inheritIO();
        } else {
            builder.redirectErrorStream(true);
            builder.redirectInput(Path.of("/dev/null").toFile());
        }
        Process process = builder.start();
        Thread hook = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(hook);
        Thread console = shell ? null : Thread.ofPlatform().daemon().start(() -> readConsole(process));
        try {
            qmp.connect(STEP_MILLIS);
            if (restore) {
                qmp.resume(STEP_MILLIS);
                control.go(STEP_MILLIS);
            }
            if (mode.equals("snapshot")) {
                return snapshot(process);
            }
            return watch(process, console, shell);
        } catch (IOException e) {
            System.out.println("QEMU: " + e.getMessage() + "; see " + dir.resolve("console.log"));
            return 1;
        } finally {
            process.destroyForcibly();
            if (console != null) {
                console.join(STEP_MILLIS);
            }
        }
    }

    private int snapshot(Process process) throws IOException, InterruptedException {
        long until = System.nanoTime() + STEP_MILLIS * 1_000_000;
        while (!ready) {
            if (System.nanoTime() > until || !process.isAlive()) {
                System.out.println("the guest was not ready within " + STEP_MILLIS / 1000 + " s; see " + dir.resolve("console.log"));
                return 1;
            }
            Thread.sleep(10);
        }
        // It goes to sleep in a read; a snapshot of it half-way there would do too.
        Thread.sleep(300);
        Path unfinished = state.resolveSibling(state.getFileName() + ".part");
        qmp.save(unfinished, STEP_MILLIS);
        Files.move(unfinished, state);
        qmp.quit();
        process.waitFor(10, TimeUnit.SECONDS);
        System.out.println("the guest was ready, and is saved after " + seconds() + " s");
        return 0;
    }

    private int watch(Process process, Thread console, boolean shell) throws InterruptedException {
        long until = System.nanoTime() + limitSeconds * 1_000_000_000;
        while (!process.waitFor(20, TimeUnit.MILLISECONDS)) {
            if (!shell && System.nanoTime() > until) {
                System.out.println("the job was not done within " + limitSeconds + " s; see " + dir.resolve("console.log"));
                return 1;
            }
        }
        if (shell) {
            return 0;
        }
        console.join(5000);
        if (end == null) {
            System.out.println("the machine ended without a result; see " + dir.resolve("console.log"));
            return 1;
        }
        System.out.println(passed + " passed, " + failed + " failed, " + seconds() + " s after the start of QEMU");
        return failed == 0 && passed > 0 ? 0 : 1;
    }

    private void readConsole(Process process) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                PrintWriter log = new PrintWriter(Files.newBufferedWriter(dir.resolve("console.log")), true)) {
            String line;
            while ((line = lines.readLine()) != null) {
                log.println("[" + seconds() + "] " + line);
                take(line.strip());
            }
        } catch (IOException e) {
            System.err.println("console: " + e);
        }
    }

    private void take(String line) {
        if (line.startsWith("PASS ") || line.startsWith("FAIL ") || line.startsWith("NOTE ")) {
            System.out.println("  [" + seconds() + " s] " + line);
            passed += line.startsWith("PASS ") ? 1 : 0;
            failed += line.startsWith("FAIL ") ? 1 : 0;
        } else if (line.equals("guest is ready")) {
            ready = true;
        } else if (line.startsWith("END ")) {
            end = line;
        } else if (line.startsWith("qemu-system") || line.contains("Kernel panic")) {
            System.out.println("  " + line);
        }
    }

    private String seconds() {
        return String.format("%.1f", (System.nanoTime() - begun) / 1e9);
    }
}
