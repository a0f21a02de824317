package io.grantwire.tools.testpmd;

import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.eal.CoreList;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.fwd.Engines;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.FrameLengths;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** How forwarding is to be done the next time it starts. Used by the command thread. */
final class ForwardConfig {
    final List<CoreList.Core> cores;
    final Topology topology;
    private final Map<Integer, Long> peers = new HashMap<>();

    ForwardEngine engine;
    boolean retry;
    int burst;
    int retryDelayUs = 1;
    int retryNum = 64;
    int[] segmentLengths;
    int verbose;
    int nbCores;
    int[] portList;

    ForwardConfig(List<CoreList.Core> cores, TestpmdOptions options) {
        this.cores = cores;
        this.topology = Topology.of(options.portTopology);
        this.engine = Engines.find(options.forwardMode);
        if (engine == null) {
            throw new UsageException(
                    "Invalid forward-mode '" + options.forwardMode + "': " + Engines.names(", "));
        }
        this.retry = options.retry;
        this.burst = options.burst;
        this.nbCores = Math.min(options.nbCores, cores.size());
        if (options.nbCores > cores.size()) {
            throw new UsageException(
                    "--nb-cores="
                            + options.nbCores
                            + " needs that many lcores besides the main one; there "
                            + (cores.size() == 1 ? "is 1" : "are " + cores.size())
                            + " (give more with -l)");
        }
        try {
            this.segmentLengths = FrameLengths.parse(options.txpkts);
        } catch (CommandException e) {
            throw new UsageException("--txpkts: " + e.getMessage());
        }
        if (options.nbPorts != null) {
            this.portList = IntStream.range(0, options.nbPorts).toArray();
        }
        for (String peer : options.ethPeers) {
            addPeer(peer);
        }
    }

    private void addPeer(String text) {
        int comma = text.indexOf(',');
        if (comma < 1 || !text.substring(0, comma).matches("[0-9]{1,4}")) {
            throw new UsageException(
                    "Invalid eth-peer '" + text + "': write it as PORT,00:00:00:00:00:22");
        }
        try {
            setPeer(
                    Integer.parseInt(text.substring(0, comma)),
                    MacAddress.parse(text.substring(comma + 1)).value());
        } catch (IllegalArgumentException e) {
            throw new UsageException("Invalid eth-peer '" + text + "': " + e.getMessage());
        }
    }

    void setPeer(int port, long mac) {
        peers.put(port, mac);
    }

    /** Where the frames that a port sends go: {@code 02:00:00:00:00:<port>} unless told. */
    long peer(int port) {
        Long mac = peers.get(port);
        return mac != null ? mac : 0x0200_0000_0000L | port & 0xff;
    }

    /** The lcores that will forward. */
    List<CoreList.Core> usedCores() {
        return cores.subList(0, nbCores);
    }

    /** The ports that forward, out of those there are. */
    int[] ports(int available) {
        return portList != null
                ? Arrays.stream(portList).filter(id -> id < available).toArray()
                : IntStream.range(0, available).toArray();
    }

    int txPacketLength() {
        return Arrays.stream(segmentLengths).sum();
    }
}
