package io.grantwire.tools.testpmd;

import io.grantwire.tools.cli.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options behind {@code --}: testpmd's own, with its names and defaults. */
public final class TestpmdOptions {
    /** Most frames in a burst. */
    public static final int MAX_BURST = 512;

    /** Most segments of a generated frame. */
    public static final int MAX_SEGMENTS = 8;

    @Option(
            names = {"-i", "--interactive"},
            description = "Take commands from standard input.")
    boolean interactive;

    @Option(
            names = {"-a", "--auto-start"},
            description = "Start forwarding at once.")
    boolean autoStart;

    @Option(names = "--tx-first", description = "Send a burst out of every port first.")
    boolean txFirst;

    @Option(
            names = "--disable-device-start",
            description = "Leave the ports stopped until port start.")
    boolean disableDeviceStart;

    @Option(
            names = "--cmdline-file",
            paramLabel = "FILE",
            description = "Run the commands in this file first.")
    Path cmdlineFile;

    @Option(
            names = "--stats-period",
            paramLabel = "SECONDS",
            description = "Show the ports' statistics this often (default: off).")
    int statsPeriod;

    @Option(
            names = "--eth-peer",
            paramLabel = "PORT,MAC",
            description = "Destination for what PORT sends (default: 02:00:00:00:00:<PORT>).")
    List<String> ethPeers = new ArrayList<>();

    @Option(
            names = "--forward-mode",
            paramLabel = "MODE",
            description =
                    "io, mac, macswap, flowgen, rxonly, txonly, csum or icmpecho (default: io).")
    String forwardMode = "io";

    @Option(
            names = "--tx-retry",
            description = "Try again when a port does not take all of a burst (set fwd … retry).")
    boolean retry;

    @Option(
            names = "--burst",
            paramLabel = "N",
            description = "Frames per burst, 1 to 512 (default: 32).")
    int burst = 32;

    @Option(
            names = "--txpkts",
            paramLabel = "LENGTHS",
            description = "Segment lengths of generated frames, in bytes (default: 64).")
    String txpkts = "64";

    @Option(
            names = "--total-num-mbufs",
            paramLabel = "N",
            description =
                    "Buffers in each port's pool, 1024 or more (default: 1024 in granted memory,"
                            + " which stays below gntalloc's limit; otherwise 2048, or what large rings take).")
    Integer totalNumMbufs;

    @Option(
            names = "--mbuf-size",
            paramLabel = "BYTES",
            description = "Bytes in a buffer, its 128 of headroom included (default: 2176).")
    int mbufSize = 2048 + 128;

    @Option(
            names = "--mbcache",
            paramLabel = "N",
            description = "Buffers a core may keep to itself, 0 to 512 (default: 250).")
    int mbcache = 250;

    @Option(names = "--nb-cores", paramLabel = "N", description = "Forwarding cores (default: 1).")
    int nbCores = 1;

    @Option(
            names = "--nb-ports",
            paramLabel = "N",
            description = "Forwarding ports (default: all).")
    Integer nbPorts;

    @Option(
            names = "--port-topology",
            paramLabel = "NAME",
            description = "Who sends to whom: paired, chained or loop (default: paired).")
    String portTopology = "paired";

    @Option(
            names = "--max-pkt-len",
            paramLabel = "BYTES",
            description = "Longest frame that ports must take, CRC included (default: 1518).")
    int maxPktLen = 1518;

    @Option(names = "--rxd", paramLabel = "N", description = "Receive descriptors (default: 128).")
    int rxd = 128;

    @Option(names = "--txd", paramLabel = "N", description = "Transmit descriptors (default: 512).")
    int txd = 512;

    @Option(names = "--rxq", paramLabel = "N", description = "Receive queues (default: 1).")
    int rxq = 1;

    @Option(names = "--txq", paramLabel = "N", description = "Transmit queues (default: 1).")
    int txq = 1;

    @Option(
            names = "--rss-ip",
            description = "Spread IP packets over the receive queues (what several queues do).")
    boolean rssIp;

    @Option(names = "--rss-udp", description = "Spread UDP packets, by their ports too.")
    boolean rssUdp;

    @Option(names = "--disable-rss", description = "Spread nothing: all goes to queue 0.")
    boolean disableRss;

    @Option(names = "--enable-rx-cksum", description = "Have the device check received checksums.")
    boolean enableRxCksum;

    @Option(
            names = "--enable-scatter",
            description =
                    "Receive long frames into several buffers (done where --max-pkt-len needs it).")
    boolean enableScatter;

    @Option(names = "--enable-hw-vlan-strip", description = "Have the device take VLAN tags off.")
    boolean enableHwVlanStrip;

    @Option(
            names = "--enable-hw-vlan-filter",
            description = "Receive tagged frames of listed VLANs only (rx_vlan add).")
    boolean enableHwVlanFilter;

    @Option(
            names = "--enable-hw-vlan",
            description = "Both --enable-hw-vlan-filter and --enable-hw-vlan-strip.")
    boolean enableHwVlan;

    @Option(
            names = "--disable-link-check",
            description = "Do not wait for links when ports start (up to 9 s).")
    boolean disableLinkCheck;

    @Option(
            names = {"--coremask", "--portmask", "--eth-peers-configfile", "--portlist"},
            paramLabel = "X",
            description = "Taken for compatibility; no effect here.")
    List<String> ignoredValues = new ArrayList<>();

    @Option(
            names = {
                "--numa",
                "--no-numa",
                "--no-flush-rx",
                "--no-lsc-interrupt",
                "--no-rmv-interrupt",
                "--disable-crc-strip",
                "--disable-hw-vlan",
                "--disable-hw-vlan-filter",
                "--disable-hw-vlan-strip",
                "--disable-hw-vlan-extend"
            },
            description = "Taken for compatibility; no effect here.")
    List<Boolean> ignoredFlags = new ArrayList<>();

    /** Checks what picocli cannot. */
    void check() {
        range("burst", burst, 1, MAX_BURST);
        if (totalNumMbufs != null) {
            range("total-num-mbufs", totalNumMbufs, 1024, 1 << 20);
        }
        range("mbuf-size", mbufSize, 256, 65535);
        range("mbcache", mbcache, 0, 512);
        range("nb-cores", nbCores, 1, 128);
        if (nbPorts != null) {
            range("nb-ports", nbPorts, 1, 128);
        }
        range("rxd", rxd, 1, 32768);
        range("txd", txd, 1, 32768);
        range("rxq", rxq, 1, 64);
        range("txq", txq, 1, 64);
        range("max-pkt-len", maxPktLen, 64, 65535);
        range("stats-period", statsPeriod, 0, 86400);
        if (!List.of("paired", "chained", "loop").contains(portTopology)) {
            throw new UsageException(
                    "Invalid port-topology '" + portTopology + "': paired, chained or loop");
        }
    }

    private static void range(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new UsageException(
                    "--" + option + " must be " + least + ".." + most + ", not " + value);
        }
    }
}
