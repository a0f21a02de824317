package io.grantwire.tools.demo;

import io.grantwire.bindings.LinkAhead;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Json;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.StdinWatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Option;

/**
 * The demo's flow generator, a process of its own: a guest whose xenvirt device is the switch's
 * wire. Prints its counters as JSON, a line a second, and the whole result at the end.
 */
public final class GeneratorCommand implements Command {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofMillis(20);
    private static final Duration JOIN = Duration.ofSeconds(10);
    private static final int MBUFS = 1024;
    private static final int CACHE = 128;

    @picocli.CommandLine.Command(
            name = "grantwire generator",
            description = "The demo's flow generator; grantwire demo starts it.")
    private static final class Options {
        @Option(names = "--dir", paramLabel = "DIR", required = true)
        Path dir;

        @Option(names = "--domid", paramLabel = "N")
        int domid = Topology.WIRE_DOMID;

        @Option(names = "--frames", paramLabel = "N")
        long frames;

        @Option(names = "--millis", paramLabel = "N")
        long millis;

        @Option(names = "--size", paramLabel = "BYTES")
        int size = StampedFrame.MIN_LENGTH;

        @Option(names = "--vlan", paramLabel = "N")
        int vlan = Topology.FIRST_VLAN;

        @Option(names = "--window", paramLabel = "N")
        int window = Topology.WINDOW;

        @Option(names = "--one-hop")
        boolean oneHop;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true)
        boolean help;
    }

    @Override
    public int run(String[] args, Context context) throws InterruptedException {
        LinkAhead.start();
        Options options = new Options();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        Logging.start(Level.WARNING, context.err());
        CountDownLatch go = new CountDownLatch(1);
        StdinWatch.start(context.in(), context.stop(), line -> go.countDown());
        DomainOptions wanted =
                new DomainOptions(
                        DomainOptions.Mode.EMULATED, options.dir, options.domid, "generator");
        try (Domain domain = Domains.open(wanted);
                EthDevice device = EthDrivers.probe("eth_xenvirt0", () -> domain);
                Mempool pool =
                        XenvirtMempools.create(
                                domain, "generator", MBUFS, Mempool.DEFAULT_DATA_ROOM, CACHE)) {
            if (options.size > Mempool.DEFAULT_DATA_ROOM) {
                throw new CommandFailure(
                        "frames of " + options.size + " bytes do not fit a buffer");
            }
            device.configure(EthConfig.SINGLE_QUEUE);
            device.txQueueSetup(0, 0);
            device.rxQueueSetup(0, 0, pool);
            device.start();
            TrafficLoop loop = new TrafficLoop(device, pool, plan(options));
            // The first line that comes in sets the traffic off.
            while (!go.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                if (context.stop().requested()) {
                    return ExitStatus.OK;
                }
            }
            Lcore lcore = Lcores.launch(-1, -1, "generator", loop);
            try {
                watch(loop, lcore, context);
            } finally {
                lcore.stop();
                if (!lcore.join(JOIN)) {
                    throw new CommandFailure("the generator's polling thread does not end");
                }
            }
            if (lcore.failure() != null) {
                throw new CommandFailure("generating failed: " + lcore.failure(), lcore.failure());
            }
            context.out().println(Json.line(result(loop)));
            // The device stays until the parent has seen that: its end would be a dead guest.
            context.stop().await();
        }
        return ExitStatus.OK;
    }

    private static TrafficPlan plan(Options o) {
        return new TrafficPlan(
                o.frames,
                o.millis * 1_000_000,
                o.size,
                o.vlan,
                Topology.VM1_MAC,
                Topology.WIRE_MAC,
                o.oneHop ? Topology.FIRST_VLAN : Topology.FIRST_VLAN + 1,
                o.oneHop ? Topology.VM2_MAC : Topology.LAST_MAC,
                o.oneHop ? Topology.VM1_MAC : Topology.VM2_MAC,
                o.window);
    }

    private static void watch(TrafficLoop loop, Lcore lcore, Context context)
            throws InterruptedException {
        long next = System.nanoTime() + SECOND.toNanos();
        while (!loop.finished() && lcore.isRunning()) {
            if (context.stop().await(LOOK)) {
                loop.stopSending();
                Thread.sleep(LOOK);
            }
            if (System.nanoTime() - next >= 0) {
                next += SECOND.toNanos();
                context.out().println(Json.line(counters(loop)));
            }
        }
    }

    private static Map<String, Object> counters(TrafficLoop loop) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("sent", loop.sent());
        map.put("received", loop.received());
        map.put("lost", loop.lost());
        map.put("corrupt", loop.corrupt());
        map.put("disordered", loop.disordered());
        map.put("foreign", loop.foreign());
        return map;
    }

    private static Map<String, Object> result(TrafficLoop loop) {
        Map<String, Object> map = counters(loop);
        map.put("seconds", loop.seconds());
        Histogram h = loop.latency();
        if (h.getTotalCount() > 0) {
            Map<String, Object> latency = new LinkedHashMap<>();
            for (double percentile : Topology.PERCENTILES) {
                latency.put(
                        Double.toString(percentile).replaceAll("\\.0$", ""),
                        h.getValueAtPercentile(percentile));
            }
            latency.put("max", h.getMaxValue());
            map.put("latencyNanos", latency);
        }
        map.put("finished", true);
        return map;
    }
}
