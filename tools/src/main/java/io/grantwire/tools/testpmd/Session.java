package io.grantwire.tools.testpmd;

import io.grantwire.bindings.CpuAffinity;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.layout.ForwardLayout;
import io.grantwire.tools.testpmd.layout.InfoLayout;
import io.grantwire.tools.testpmd.layout.StatsLayout;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** What the commands work on: the ports, the configuration, and forwarding when it runs. */
final class Session implements AutoCloseable {
    private static final Duration LINK_PATIENCE = Duration.ofSeconds(9);
    private static final long LINK_LOOK_NANOS = 100_000_000;
    private static final long GONE_LOOK_NANOS = 1_000_000_000;

    final PrintStream out;
    final ForwardConfig config;
    final TestpmdOptions options;
    private final List<Port> ports;
    private Forwarding forwarding;
    private final Map<Integer, EthStats> atStart = new LinkedHashMap<>();
    private boolean quit;
    private long nextLook = System.nanoTime();

    Session(List<Port> ports, ForwardConfig config, TestpmdOptions options, PrintStream out) {
        this.ports = ports;
        this.config = config;
        this.options = options;
        this.out = out;
    }

    /** The ports that are not closed. */
    List<Port> ports() {
        return ports.stream().filter(port -> !port.closed()).toList();
    }

    /** The ports meant: one, or all that are not closed for -1. */
    List<Port> ports(int id) {
        if (id < 0) {
            return ports();
        }
        if (id >= ports.size() || ports.get(id).closed()) {
            throw new CommandException("Invalid port " + id);
        }
        return List.of(ports.get(id));
    }

    boolean forwarding() {
        return forwarding != null;
    }

    void quit() {
        quit = true;
    }

    boolean quitting() {
        return quit;
    }

    /** Configures and starts ports, and says so as testpmd does. */
    void startPorts(List<Port> which) {
        for (Port port : which) {
            if (port.started()) {
                out.println("Port " + port.id + " is now not stopped");
                continue;
            }
            out.println("Configuring Port " + port.id + " (socket 0)");
            port.start();
            out.println(
                    "Port " + port.id + ": " + InfoLayout.mac(port.device.macAddress().toString()));
        }
        checkLinks();
    }

    /**
     * A port that is not started and that nobody forwards with.
     *
     * @throws CommandException when it is, or there is no such port
     */
    Port stoppedPort(int id) {
        Port port = ports(id).getFirst();
        requireNotForwarding(port);
        if (port.started()) {
            throw new CommandException("Please stop port " + id + " first (port stop " + id + ")");
        }
        return port;
    }

    /** Refuses while forwarding runs. */
    void requireNotForwarding() {
        if (forwarding != null) {
            throw new CommandException("Please stop forwarding first (stop)");
        }
    }

    private void checkLinks() {
        out.println("Checking link statuses...");
        awaitLinks();
        for (Port port : ports()) {
            if (port.started()) {
                out.println(InfoLayout.link(port.id, port.device.link()));
            }
        }
        out.println("Done");
    }

    /** A network card takes seconds to agree with the other end; software devices do not. */
    private void awaitLinks() {
        long end = System.nanoTime() + LINK_PATIENCE.toNanos();
        while (!options.disableLinkCheck
                && ports().stream().anyMatch(Session::waitsForLink)
                && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(LINK_LOOK_NANOS);
        }
    }

    private static boolean waitsForLink(Port port) {
        return port.started()
                && !port.device.capabilities().equals(EthCapabilities.NONE)
                && !port.device.link().up();
    }

    void stopPorts(List<Port> which) {
        out.println("Stopping ports...");
        for (Port port : which) {
            requireNotForwarding(port);
            port.stop();
        }
        out.println("Done");
    }

    void closePorts(List<Port> which) {
        out.println("Closing ports...");
        for (Port port : which) {
            requireNotForwarding(port);
            if (port.started()) {
                throw new CommandException(
                        "Port " + port.id + " is not stopped (port stop " + port.id + " first)");
            }
            port.close();
        }
        out.println("Done");
    }

    private void requireNotForwarding(Port port) {
        if (forwarding != null && forwarding.uses(port.id)) {
            throw new CommandException(
                    "Please remove port "
                            + port.id
                            + " from forwarding configuration (stop first)");
        }
    }

    /**
     * {@code start}.
     *
     * @param firstBursts bursts to send out of every port before, 0 for none
     */
    void startForwarding(int firstBursts) {
        if (forwarding != null) {
            throw new CommandException("Packet forwarding already started");
        }
        List<Port> taking = forwardingPorts();
        if (taking.isEmpty()) {
            throw new CommandException("No ports to forward between");
        }
        for (Port port : taking) {
            if (!port.started()) {
                throw new CommandException(
                        "Not all ports were started (port start " + port.id + ")");
            }
        }
        if (taking.size() % 2 != 0 && config.topology == Topology.PAIRED) {
            out.println();
            out.println(
                    "Warning! Cannot handle an odd number of ports with the current port topology."
                            + " Configuration must be changed to have an even number of ports, or"
                            + " relaunch application with --port-topology=chained");
            out.println();
        }
        Forwarding run = new Forwarding(config, taking, queues(taking), out);
        out.print(ForwardLayout.forwarding(settings(taking.size(), run.cores()), run.lines()));
        out.print(ForwardLayout.rxtx(settings(taking.size(), run.cores())));
        out.flush();
        atStart.clear();
        taking.forEach(port -> atStart.put(port.id, port.device.stats()));
        if (firstBursts > 0) {
            run.sendFirst(firstBursts);
        }
        forwarding = run;
        run.start(CpuAffinity.allowed());
    }

    private List<Port> forwardingPorts() {
        List<Port> taking = new ArrayList<>();
        for (int id : config.ports(ports.size())) {
            if (!ports.get(id).closed()) {
                taking.add(ports.get(id));
            }
        }
        return taking;
    }

    /** Queues that every port has in both directions. */
    private static int queues(List<Port> taking) {
        int least = Integer.MAX_VALUE;
        for (Port port : taking) {
            least = Math.min(least, Math.min(port.settings.rxQueues, port.settings.txQueues));
        }
        return taking.isEmpty() ? 1 : least;
    }

    /** {@code stop}: ends forwarding and prints what it did. */
    void stopForwarding() throws InterruptedException {
        if (forwarding == null) {
            throw new CommandException("Packet forwarding not started");
        }
        Forwarding run = forwarding;
        out.println("Telling cores to stop...");
        out.println("Waiting for lcores to finish...");
        try {
            run.stop();
        } finally {
            forwarding = null;
        }
        StatsLayout.Forward sum = new StatsLayout.Forward(0, 0, 0, 0, 0, 0);
        out.print(run.streamStats(atStart.size()));
        boolean csum = config.engine.name().equals("csum");
        for (Map.Entry<Integer, EthStats> entry : atStart.entrySet()) {
            Port port = ports.get(entry.getKey());
            StatsLayout.Forward f =
                    since(entry.getValue(), port.device.stats(), run.dropped(port.id));
            String bad =
                    csum ? StatsLayout.badChecksums(run.badIp(port.id), run.badL4(port.id)) : "";
            out.print(StatsLayout.forward(port.id, f, bad));
            sum = sum.plus(f);
        }
        out.print(StatsLayout.accumulated(sum));
        out.println();
        out.println("Done.");
    }

    private static StatsLayout.Forward since(EthStats before, EthStats now, long dropped) {
        // Counters that were cleared meanwhile count from the clearing.
        EthStats from =
                now.ipackets() < before.ipackets() || now.opackets() < before.opackets()
                        ? new EthStats(0, 0, 0, 0, 0, 0, 0, 0)
                        : before;
        return new StatsLayout.Forward(
                now.ipackets() - from.ipackets(),
                now.imissed() - from.imissed(),
                now.ierrors() - from.ierrors(),
                now.rxNombuf() - from.rxNombuf(),
                now.opackets() - from.opackets(),
                dropped);
    }

    /** The settings as they are now, for printing. */
    private ForwardLayout.Settings settings(int portCount, int coreCount) {
        PortSettings first = ports.getFirst().settings;
        return new ForwardLayout.Settings(
                config.engine.name(),
                config.retry,
                config.retryNum,
                config.retryDelayUs,
                config.burst,
                config.engine.generates(),
                config.txPacketLength(),
                config.segmentLengths.length,
                coreCount,
                portCount,
                first.rxQueues,
                first.rxDesc,
                first.txQueues,
                first.txDesc);
    }

    /** {@code show config fwd}: what the next start would do. */
    void showForwarding() {
        List<Port> taking = forwardingPorts();
        Forwarding plan =
                forwarding != null
                        ? forwarding
                        : new Forwarding(config, taking, queues(taking), out);
        out.print(ForwardLayout.forwarding(settings(taking.size(), plan.cores()), plan.lines()));
    }

    /** {@code show config rxtx}. */
    void showRxTx() {
        int count = forwardingPorts().size();
        out.print(ForwardLayout.rxtx(settings(count, config.nbCores)));
    }

    void showStats(Port port) {
        EthStats now = port.device.stats();
        long[] rates = port.rates(now);
        out.print(StatsLayout.port(port.id, now, rates[0], rates[1]));
    }

    void setVerbose(int level) {
        out.println("Change verbose level from " + config.verbose + " to " + level);
        config.verbose = level;
        if (forwarding != null) {
            forwarding.setVerbose(level);
        }
    }

    /** The failure of a polling thread, or null. */
    Throwable failure() {
        return forwarding == null ? null : forwarding.failure();
    }

    /**
     * Closes the ports of network cards that have gone, or that the kernel wants back, as DPDK's
     * testpmd does on a removal event: the kernel would wait for them for ever. Looks once a
     * second; the command thread calls it while it waits.
     */
    void closeGonePorts() throws InterruptedException {
        long now = System.nanoTime();
        if (now - nextLook < 0) {
            return;
        }
        nextLook = now + GONE_LOOK_NANOS;
        for (Port port : ports()) {
            if (port.device.capabilities().equals(EthCapabilities.NONE)) {
                continue;
            }
            port.device.link();
            if (port.device.isGone()) {
                out.println();
                out.println(
                        "Port "
                                + port.id
                                + ": "
                                + port.device.name()
                                + " was unplugged, or the kernel wants it back; it is closed");
                if (forwarding != null && forwarding.uses(port.id)) {
                    stopForwarding();
                }
                port.stop();
                port.close();
                out.flush();
            }
        }
    }

    /** Stops everything and closes the ports, and says so as testpmd does. */
    @Override
    public void close() {
        if (forwarding != null) {
            try {
                stopForwarding();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        // All stop before any is closed: a device may hold frames from another port's pool.
        for (Port port : ports()) {
            out.println();
            out.println("Stopping port " + port.id + "...");
            out.println("Stopping ports...");
            port.stop();
            out.println("Done");
        }
        for (Port port : ports()) {
            out.println();
            out.println("Shutting down port " + port.id + "...");
            out.println("Closing ports...");
            port.close();
            out.println("Done");
        }
        out.println();
        out.println("Bye...");
    }
}
