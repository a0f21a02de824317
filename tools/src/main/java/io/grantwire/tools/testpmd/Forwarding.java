package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import io.grantwire.tools.eal.CoreList;
import io.grantwire.tools.testpmd.fwd.Engines;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.Stream;
import io.grantwire.tools.testpmd.layout.ForwardLayout;
import io.grantwire.tools.testpmd.layout.StatsLayout;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One run of forwarding: streams shared out over lcores, from {@link #start} to {@link #stop}. Used
 * by the command thread.
 */
final class Forwarding {
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(10);

    /** Polls some streams with one engine, in turn. */
    private static final class Worker {
        final CoreList.Core core;
        final List<Stream> streams = new ArrayList<>();
        final List<EthDevice> devices = new ArrayList<>();
        Lcore lcore;

        Worker(CoreList.Core core) {
            this.core = core;
        }
    }

    private final List<Worker> workers = new ArrayList<>();
    private final ForwardEngine engine;
    private final List<Stream> streams = new ArrayList<>();
    private boolean started;

    /**
     * Lays the streams out.
     *
     * @param ports the ports that forward, in order
     * @param queues queues of each port
     */
    Forwarding(ForwardConfig config, List<Port> ports, int queues, PrintStream out) {
        this.engine = config.engine;
        Stream.Settings settings = new Stream.Settings();
        settings.burst = config.burst;
        settings.retry = config.retry;
        settings.retryDelayUs = config.retryDelayUs;
        settings.retryNum = config.retryNum;
        settings.segmentLengths = config.segmentLengths.clone();
        List<List<EthDevice>> devices = new ArrayList<>();
        for (int q = 0; q < queues; q++) {
            for (int i = 0; i < ports.size(); i++) {
                Port rx = ports.get(i);
                Port tx = ports.get(config.topology.partner(i, ports.size()));
                Stream stream =
                        new Stream(
                                rx.id,
                                rx.device,
                                tx.id,
                                tx.device,
                                q,
                                tx.pool,
                                config.peer(tx.id),
                                settings,
                                out);
                stream.setVerbose(config.verbose);
                stream.setTxOffloads(tx.settings.txChecksums(), tx.settings.txVlan());
                streams.add(stream);
                devices.add(List.of(rx.device, tx.device));
            }
        }
        int cores = Math.min(config.nbCores, Math.max(1, streams.size()));
        for (int i = 0; i < cores; i++) {
            workers.add(new Worker(config.usedCores().get(i)));
        }
        for (int i = 0; i < streams.size(); i++) {
            Worker worker = workers.get(i % cores);
            worker.streams.add(streams.get(i));
            worker.devices.addAll(devices.get(i));
        }
    }

    /** Who forwards what. */
    List<ForwardLayout.CoreLine> lines() {
        List<ForwardLayout.CoreLine> lines = new ArrayList<>();
        for (Worker worker : workers) {
            List<ForwardLayout.StreamLine> of = new ArrayList<>();
            for (Stream s : worker.streams) {
                of.add(
                        new ForwardLayout.StreamLine(
                                s.rxPort(), s.txPort(), s.queue(), s.peerMac()));
            }
            lines.add(new ForwardLayout.CoreLine(worker.core.lcore(), of));
        }
        return lines;
    }

    /** Sends bursts out of every port on the calling thread, before forwarding starts. */
    void sendFirst(int bursts) {
        ForwardEngine first = Engines.find("txonly");
        for (Stream stream : streams) {
            first.begin(stream);
            for (int i = 0; i < bursts; i++) {
                first.forward(stream);
            }
        }
    }

    /** Starts the polling threads. */
    void start(int[] allowedCpus) {
        for (Stream stream : streams) {
            engine.begin(stream);
        }
        started = true;
        for (Worker worker : workers) {
            int cpu = worker.core.cpu();
            if (java.util.Arrays.stream(allowedCpus).noneMatch(allowed -> allowed == cpu)) {
                // Asked for more lcores than there are CPUs: leave it to the scheduler.
                worker.lcore = launch(worker, CoreList.ANY_CPU);
            } else {
                worker.lcore = launch(worker, cpu);
            }
        }
    }

    private Lcore launch(Worker worker, int cpu) {
        int id = worker.core.lcore();
        return Lcores.launch(
                id,
                cpu,
                "lcore-worker-" + id,
                new StreamPoller(engine, worker.streams, worker.devices));
    }

    /**
     * Ends the polling threads.
     *
     * @throws IllegalStateException when one does not end, or failed
     */
    void stop() throws InterruptedException {
        if (!started) {
            return;
        }
        started = false;
        streams.forEach(Stream::requestStop);
        for (Worker worker : workers) {
            if (worker.lcore != null) {
                worker.lcore.stop();
            }
        }
        Throwable failure = null;
        for (Worker worker : workers) {
            if (worker.lcore == null) {
                continue;
            }
            if (!worker.lcore.join(STOP_PATIENCE)) {
                throw new IllegalStateException(
                        "lcore " + worker.core.lcore() + " does not stop polling");
            }
            failure = failure == null ? worker.lcore.failure() : failure;
        }
        if (failure != null) {
            throw new IllegalStateException("forwarding failed: " + failure, failure);
        }
    }

    /** The first failure of a polling thread, or null. */
    Throwable failure() {
        for (Worker worker : workers) {
            if (worker.lcore != null && worker.lcore.failure() != null) {
                return worker.lcore.failure();
            }
        }
        return null;
    }

    /** Changes how much the polling threads print. */
    void setVerbose(int level) {
        streams.forEach(stream -> stream.setVerbose(level));
    }

    /** Frames given up on the way out of a port; after {@link #stop}. */
    long dropped(int port) {
        return streams.stream().filter(s -> s.txPort() == port).mapToLong(Stream::dropped).sum();
    }

    /** Frames received on a port with a wrong IPv4 header checksum; after {@link #stop}. */
    long badIp(int port) {
        return streams.stream().filter(s -> s.rxPort() == port).mapToLong(Stream::badIp).sum();
    }

    /** Frames received on a port with a wrong UDP or TCP checksum; after {@link #stop}. */
    long badL4(int port) {
        return streams.stream().filter(s -> s.rxPort() == port).mapToLong(Stream::badL4).sum();
    }

    /** What each stream did that did anything, when ports have several; after {@link #stop}. */
    String streamStats(int ports) {
        StringBuilder text = new StringBuilder();
        if (streams.size() > ports) {
            for (Stream s : streams) {
                if (s.rx() + s.tx() + s.dropped() > 0) {
                    text.append(
                            StatsLayout.stream(
                                    s.rxPort(),
                                    s.txPort(),
                                    s.queue(),
                                    s.rx(),
                                    s.tx(),
                                    s.dropped()));
                }
            }
        }
        return text.toString();
    }

    /** Whether a port takes part. */
    boolean uses(int port) {
        return streams.stream().anyMatch(s -> s.rxPort() == port || s.txPort() == port);
    }

    int cores() {
        return workers.size();
    }
}
