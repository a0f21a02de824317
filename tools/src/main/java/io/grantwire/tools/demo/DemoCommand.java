package io.grantwire.tools.demo;

import io.grantwire.tools.Main;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Json;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.process.Child;
import io.grantwire.tools.process.SelfLauncher;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;

/** {@code demo}: the whole path on any machine, each part in a process of its own. */
public final class DemoCommand implements Command {
    private static final long LOOK_MILLIS = 20;
    private static final long SECOND_NANOS = 1_000_000_000L;

    private PrintStream out;
    private DemoOptions options;

    @Override
    public int run(String[] args, Context context) throws InterruptedException {
        options = new DemoOptions();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        options.check();
        out = context.out();
        Logging.start(Level.WARNING, context.err());
        Mode mode = options.replay() ? new ReplayMode(options) : new GeneratorMode(options);
        HostFiles files = HostFiles.choose(options.dir);
        OutputFile output = OutputFile.of(options.pcapOut);
        Outcome outcome;
        try (Stage stage =
                new Stage(SelfLauncher.find(Main.class.getName()), files, context.stop())) {
            outcome = play(stage, mode, context);
        } catch (CommandFailure e) {
            output.removeIfNew();
            throw e;
        }
        if (options.json) {
            out.println(Json.pretty(outcome.toMap()));
        } else {
            out.println();
            out.print(OutcomeTable.table(outcome));
        }
        if (outcome.interrupted()) {
            return ExitStatus.INTERRUPTED;
        }
        if (outcome.problem() != null) {
            throw new CommandFailure(outcome.problem());
        }
        if (!options.json) {
            out.println(
                    options.replay()
                            ? "All frames for the guests came out."
                            : "All frames came back in order and unchanged.");
        }
        return ExitStatus.OK;
    }

    private Outcome play(Stage stage, Mode mode, Context context) throws InterruptedException {
        boolean finished = false;
        try {
            List<String> more = new ArrayList<>(mode.switchOptions());
            more.addAll(List.of("--vm2vm", options.vm2vm));
            stage.startSwitch(more);
            say("Emulated host and switch: " + stage.files().dir());
            say(
                    "  look into its store: XENSTORED_PATH="
                            + stage.files().dir().resolve("xenstored.sock")
                            + " xenstore-ls");
            Child vm1 = stage.startGuest("VM1", Topology.VM1_DOMID, Stage.VM1, Stage.VM2);
            Child vm2 = stage.startGuest("VM2", Topology.VM2_DOMID, Stage.VM2, Stage.LAST);
            mode.prepare(stage);
            letIn(stage, vm1, Topology.VM1_DOMID, Stage.VM1, Stage.VM2);
            letIn(stage, vm2, Topology.VM2_DOMID, Stage.VM2, Stage.LAST);
            mode.begin(stage);
            finished = watch(stage, mode, context);
            if (finished && options.keep) {
                say("All traffic is through; switch and guests stay until Ctrl-C.");
                while (!context.stop().requested()) {
                    stage.check();
                    Thread.sleep(LOOK_MILLIS);
                }
            }
        } catch (Stage.InterruptedRun e) {
            finished = false;
        }
        // Guests that have ended are in no later statistics.
        SwitchView guests = stage.lastView();
        SwitchView last = stage.end();
        return new Outcome(
                last.fromWire(),
                guests.delivered(Stage.VM1),
                guests.delivered(Stage.VM2),
                last.toWire(),
                guests.dropsWith(last),
                last.inputSkipped(),
                last.inputProblems(),
                mode.seconds(),
                mode.latencyNanos(),
                finished ? mode.problem(last) : null,
                !finished);
    }

    private void letIn(Stage stage, Child guest, int domid, String mac, String peer) {
        stage.letIn(guest, mac);
        say(guest.name() + ": domain " + domid + ", " + mac + ", forwards to " + peer);
    }

    /** Shows the counters once a second until the traffic is through. */
    private boolean watch(Stage stage, Mode mode, Context context) throws InterruptedException {
        long start = System.nanoTime();
        long lastLine = start;
        long outBefore = 0;
        long second = 0;
        while (true) {
            SwitchView now = stage.view();
            if (mode.finished(now)) {
                return true;
            }
            long nanos = System.nanoTime();
            if (nanos - start >= (second + 1) * SECOND_NANOS) {
                second = (nanos - start) / SECOND_NANOS;
                say(OutcomeTable.live(second, now, outBefore, (nanos - lastLine) / 1e9));
                if (out.checkError()) {
                    // Nobody reads any more: the other end of the pipe is gone.
                    return false;
                }
                lastLine = nanos;
                outBefore = now.toWire();
            }
            stage.check();
            if (context.stop().requested()) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private void say(String line) {
        if (!options.json) {
            out.println(line);
            out.flush();
        }
    }
}
