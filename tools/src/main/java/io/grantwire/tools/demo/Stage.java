package io.grantwire.tools.demo;

import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.process.Child;
import io.grantwire.tools.process.SelfLauncher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The processes of a demo: the switch with its emulated host, the two guests, and what else a mode
 * adds. Started one after the other, so that VM1 is the switch's first device; ended in the
 * opposite order, the host last.
 */
final class Stage implements AutoCloseable {
    static final String VM1 = MacAddress.format(Topology.VM1_MAC);
    static final String VM2 = MacAddress.format(Topology.VM2_MAC);
    static final String LAST = MacAddress.format(Topology.LAST_MAC);

    private static final Duration START_PATIENCE = Duration.ofSeconds(60);
    private static final Duration END_PATIENCE = Duration.ofSeconds(15);
    private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(30);
    private static final long LOOK_MILLIS = 10;

    private final SelfLauncher launcher;
    private final HostFiles files;
    private final StopRequest stop;
    private final List<Child> children = new ArrayList<>();
    private Child theSwitch;

    private final Object answers = new Object();
    private String lastAnswer;
    private long answered;
    private boolean closed;

    Stage(SelfLauncher launcher, HostFiles files, StopRequest stop) {
        this.launcher = launcher;
        this.files = files;
        this.stop = stop;
    }

    /** Starts the switch's process and waits until it answers. */
    void startSwitch(List<String> more) {
        List<String> args =
                new ArrayList<>(
                        List.of(
                                "switch",
                                "-p",
                                "1",
                                "--dir",
                                files.dir().toString(),
                                "--new-host",
                                "--control",
                                "--json"));
        args.addAll(more);
        theSwitch = Child.start("switch", launcher.command(args), this::onAnswer);
        children.add(theSwitch);
        view();
        files.hostStarted();
    }

    private void onAnswer(String line) {
        synchronized (answers) {
            lastAnswer = line;
            answered++;
            answers.notifyAll();
        }
    }

    /**
     * Starts a guest's process. All can be started at once: a guest shows itself to the switch when
     * it is told to, in {@link #letIn}.
     */
    Child startGuest(String name, int domid, String mac, String peer) {
        return start(
                name,
                List.of(
                        "testpmd",
                        "--dir",
                        files.dir().toString(),
                        "--domid",
                        Integer.toString(domid),
                        "--name",
                        name,
                        "--vdev",
                        "eth_xenvirt0,mac=" + mac,
                        "--",
                        "-i",
                        "--disable-device-start",
                        "--forward-mode=mac",
                        "--tx-retry",
                        "--eth-peer=0," + peer),
                line -> {});
    }

    /** Has a guest start its port and forward, and waits until the switch serves it. */
    void letIn(Child guest, String mac) {
        guest.tell("port start 0");
        // The guest must not drop either: it waits for room as long as the switch does.
        guest.tell("set burst tx delay 50 retry 1000000");
        guest.tell("start");
        await(
                () -> view().registered(mac),
                START_PATIENCE,
                guest.name() + " was not served by the switch");
    }

    /** Starts one more process. */
    Child start(String name, List<String> args, java.util.function.Consumer<String> onLine) {
        Child child = Child.start(name, launcher.command(args), onLine);
        children.add(child);
        return child;
    }

    HostFiles files() {
        return files;
    }

    /**
     * Looks whether all processes still run.
     *
     * @throws CommandFailure naming one that does not
     */
    void check() {
        children.forEach(Child::check);
    }

    /** The switch's statistics, asked for now. */
    SwitchView view() {
        return view(true);
    }

    private SwitchView view(boolean heedStop) {
        long before;
        synchronized (answers) {
            before = answered;
        }
        theSwitch.tell("stats");
        await(() -> answeredSince(before), ANSWER_PATIENCE, "the switch does not answer", heedStop);
        synchronized (answers) {
            return new SwitchView(lastAnswer);
        }
    }

    /** The switch's statistics as they are now, or were last when it does not run any more. */
    SwitchView lastView() {
        if (theSwitch != null && theSwitch.alive()) {
            return view(false);
        }
        synchronized (answers) {
            return new SwitchView(lastAnswer == null ? SwitchView.NOTHING : lastAnswer);
        }
    }

    private boolean answeredSince(long before) {
        synchronized (answers) {
            return answered > before;
        }
    }

    /**
     * Waits until something is so.
     *
     * @throws CommandFailure when a process ends meanwhile, or the time is over
     * @throws InterruptedRun when a person does not want to wait
     */
    void await(BooleanSupplier condition, Duration atMost, String otherwise) {
        await(condition, atMost, otherwise, true);
    }

    private void await(
            BooleanSupplier condition, Duration atMost, String otherwise, boolean heedStop) {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.getAsBoolean()) {
            check();
            if (heedStop && stop.requested()) {
                throw new InterruptedRun();
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new CommandFailure(otherwise + " within " + atMost.toSeconds() + " s");
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedRun();
            }
        }
    }

    /** The run was cut short by a person. */
    static final class InterruptedRun extends RuntimeException {
        private static final long serialVersionUID = 1L;

        InterruptedRun() {
            super("interrupted", null, false, false);
        }
    }

    /**
     * Ends everything in order: traffic first, then the guests, then the switch, whose last word is
     * returned.
     *
     * @throws CommandFailure when the switch could not finish its work
     */
    SwitchView end() {
        for (int i = children.size() - 1; i > 0; i--) {
            children.get(i).askToEnd();
            children.get(i).awaitEnd(END_PATIENCE);
        }
        theSwitch.askToEnd();
        int status = theSwitch.awaitEnd(END_PATIENCE);
        if (status != 0) {
            throw theSwitch.failure();
        }
        synchronized (answers) {
            return new SwitchView(lastAnswer);
        }
    }

    /** Ends what still runs, and leaves no file behind; a second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (int i = children.size() - 1; i >= 0; i--) {
            children.get(i).askToEnd();
            children.get(i).awaitEnd(END_PATIENCE);
        }
        if (theSwitch != null) {
            files.removeLeftovers();
        }
    }
}
