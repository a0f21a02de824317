package io.grantwire.tools.vswitch;

import io.grantwire.bindings.LinkAhead;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainException;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Json;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.RecordMaps;
import io.grantwire.tools.cli.StdinWatch;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.vswitch.StatsScreen;
import io.grantwire.vswitch.Switch;
import io.grantwire.vswitch.SwitchConfig;
import io.grantwire.vswitch.SwitchStats;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code switch}: the back end, on real Xen or on an emulated host, until Ctrl-C. */
public final class SwitchCommand implements Command {
    private static final Logger XENHOST = LoggerFactory.getLogger("XENHOST");
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final Duration JOIN_PATIENCE = Duration.ofSeconds(5);

    @Override
    public int run(String[] args, Context context) throws InterruptedException {
        if (args.length > 0 && args[0].equals("ctl")) {
            return new CtlCommand().run(Arrays.copyOfRange(args, 1, args.length), context);
        }
        LinkAhead.start();
        SwitchOptions options = new SwitchOptions();
        if (!Cli.parse(options, withoutSeparator(args), context)) {
            return ExitStatus.OK;
        }
        if (options.xen && (options.emulated || options.dir != null)) {
            throw new UsageException("--xen goes neither with --emulated nor with --dir");
        }
        int period = options.statsSeconds();
        Uplinks uplinks = Uplinks.parse(options.uplinks, options.retarget);
        SwitchConfig config = options.config(uplinks.specs());
        Logging.start(
                Logging.level(options.logLevel), options.json ? context.err() : context.out());

        try (Host host = Host.open(options)) {
            Switch running = Switch.start(config, host.domain);
            Reporter reporter = new Reporter(running, uplinks, options.json, context.out());
            SwitchStats before;
            CtlServer ctl = listen(options, host, running, reporter);
            try {
                if (options.control) {
                    StdinWatch.start(context.in(), context.stop(), line -> reporter.report());
                }
                serve(running, reporter, Duration.ofSeconds(period), context);
                before = running.stats();
            } finally {
                if (ctl != null) {
                    ctl.close();
                }
                running.close();
            }
            // What was still to be written is written now.
            uplinks.check();
            if (period > 0 || options.json) {
                reporter.reportLast(before);
            }
        }
        return ExitStatus.OK;
    }

    /** The control channel; null when it is not wanted or cannot be had, which ends nothing. */
    private static CtlServer listen(
            SwitchOptions options, Host host, Switch running, Reporter reporter) {
        Path socket = options.ctl != null ? options.ctl : host.ctlSocket;
        if (socket.toString().equals("-")) {
            return null;
        }
        try {
            return CtlServer.start(
                    socket.toAbsolutePath(),
                    request ->
                            switch (request) {
                                case CtlRequest.Status(boolean json) ->
                                        json ? reporter.json(false) : reporter.screen();
                                case CtlRequest.Release(int device) -> {
                                    running.release(device);
                                    yield "device " + device + " is released\n";
                                }
                            });
        } catch (IOException e) {
            LoggerFactory.getLogger("CONFIG")
                    .warn("no control channel for grantwire switch ctl: {}", e.getMessage());
            return null;
        }
    }

    /** The original takes the EAL's options first, then {@code --}, then its own. */
    private static String[] withoutSeparator(String[] args) {
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.remove("--");
        return all.toArray(String[]::new);
    }

    private static void serve(Switch running, Reporter reporter, Duration period, Context context)
            throws InterruptedException {
        long next = System.nanoTime() + period.toNanos();
        while (!context.stop().await(LOOK)) {
            SwitchStats stats = running.stats();
            checkAlive(stats);
            reporter.uplinks.check();
            if (!period.isZero() && System.nanoTime() - next >= 0) {
                next += period.toNanos();
                reporter.report();
                if (context.out().checkError()) {
                    // Nobody reads the screens any more: the other end of the pipe is gone.
                    return;
                }
            }
        }
    }

    private static void checkAlive(SwitchStats stats) {
        for (SwitchStats.WorkerStats worker : stats.workers()) {
            if (!worker.running()) {
                throw new CommandFailure(
                        "data core " + worker.lcore() + " has ended (see the log lines above)");
            }
        }
        if (stats.uplinks().stream().allMatch(SwitchStats.UplinkStats::failed)) {
            throw new CommandFailure("uplink " + stats.uplinks().getFirst().spec() + " has failed");
        }
    }

    /** Prints statistics, from the main thread and from the one that reads orders. */
    private static final class Reporter {
        private final Switch running;
        private final Uplinks uplinks;
        private final boolean json;
        private final PrintStream out;

        Reporter(Switch running, Uplinks uplinks, boolean json, PrintStream out) {
            this.running = running;
            this.uplinks = uplinks;
            this.json = json;
            this.out = out;
        }

        synchronized void report() {
            // Inputs first: frames read after that look are not missing from the statistics.
            List<Map<String, Object>> inputs = uplinks.inputs();
            print(running.stats(), inputs, false);
        }

        /**
         * The switch is closed and knows its guests no more: they are shown as they were before,
         * with what the wires got up to the end.
         */
        synchronized void reportLast(SwitchStats before) {
            SwitchStats end = running.stats();
            print(
                    new SwitchStats(
                            end.uptimeMillis(),
                            before.devices(),
                            end.uplinks(),
                            end.workers(),
                            before.refused(),
                            end.rejects(),
                            end.mbufsInUse()),
                    uplinks.inputs(),
                    true);
        }

        /** The screen without clearing. */
        String screen() {
            return StatsScreen.render(running.stats()).substring(StatsScreen.CLEAR.length());
        }

        /** A line of JSON. */
        String json(boolean last) {
            return json(running.stats(), uplinks.inputs(), last) + "\n";
        }

        private static String json(
                SwitchStats stats, List<Map<String, Object>> inputs, boolean last) {
            Map<String, Object> map = RecordMaps.of(stats);
            map.put("inputs", inputs);
            map.put("last", last);
            return Json.line(map);
        }

        private void print(SwitchStats stats, List<Map<String, Object>> inputs, boolean last) {
            if (json) {
                out.println(json(stats, inputs, last));
            } else {
                String screen = StatsScreen.render(stats);
                // The last one stays beneath what was printed before.
                out.print(last ? screen.substring(StatsScreen.CLEAR.length()) : screen);
            }
            out.flush();
        }
    }

    /** The host, when it is ours, and the control domain on it. */
    private static final class Host implements AutoCloseable {
        private final EmulatedHost own;
        final Domain domain;
        final Path ctlSocket;

        private Host(EmulatedHost own, Domain domain, Path ctlSocket) {
            this.own = own;
            this.domain = domain;
            this.ctlSocket = ctlSocket;
        }

        static Host open(SwitchOptions options) {
            boolean wantsEmulated = options.emulated || options.dir != null;
            if (options.xen || !wantsEmulated && Domains.xenUnavailable().isEmpty()) {
                Domain domain =
                        Domains.open(new DomainOptions(DomainOptions.Mode.XEN, null, 0, ""));
                XENHOST.info("{}", domain.description());
                return new Host(null, domain, CtlSocket.onXen());
            }
            Path dir = options.dir == null ? EmulatedHost.defaultDir() : options.dir;
            if (options.newHost) {
                return start(dir);
            }
            // A host that is just starting holds its directory before it answers.
            long deadline = System.nanoTime() + JOIN_PATIENCE.toNanos();
            while (true) {
                try {
                    Domain domain = Domains.open(DomainOptions.emulatedControl(dir));
                    XENHOST.info("joined the emulated host in {}", dir);
                    return new Host(null, domain, CtlSocket.in(dir));
                } catch (DomainException e) {
                    XENHOST.debug("no host to join: {}", e.getMessage());
                }
                try {
                    return start(dir);
                } catch (DomainException e) {
                    if (!e.getMessage().contains("is busy") || System.nanoTime() > deadline) {
                        throw e;
                    }
                    LockSupport.parkNanos(LOOK.toNanos());
                }
            }
        }

        private static Host start(Path dir) {
            EmulatedHost own = EmulatedHost.start(dir);
            try {
                Domain domain = Domains.open(DomainOptions.emulatedControl(dir));
                XENHOST.info("started an emulated host in {}", own.dir());
                XENHOST.info("its store: XENSTORED_PATH={} xenstore-ls", own.xenstoreSocket());
                return new Host(own, domain, CtlSocket.in(dir));
            } catch (RuntimeException e) {
                own.close();
                throw e;
            }
        }

        @Override
        public void close() {
            domain.close();
            if (own != null) {
                own.close();
            }
        }
    }
}
