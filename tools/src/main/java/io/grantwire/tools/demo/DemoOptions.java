package io.grantwire.tools.demo;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.tools.cli.UsageException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The demo's options. */
@picocli.CommandLine.Command(
        name = "grantwire demo",
        sortOptions = false,
        description = {
            "Show the whole path on this machine, without Xen and without root: an emulated host with"
                    + " the switch, two guests that forward frames, and a flow generator, each in a"
                    + " process of its own.",
            "",
            "Frames travel wire, switch, VM1, switch, VM2, switch, wire. With --pcap-in they come"
                    + " from a capture and go to another; otherwise a generator sends them and checks"
                    + " what comes back."
        },
        footer = {
            "",
            "With --pcap-in, frames for 00:00:00:00:00:11 in VLAN 1000 take the way; the others are"
                    + " counted and reach nobody, unless --retarget readdresses them."
        })
final class DemoOptions {
    private static final int DEFAULT_SECONDS = 5;

    @Option(
            names = "--pcap-in",
            paramLabel = "FILE",
            description =
                    "Play this capture (pcap or pcapng) from the wire, instead of generating.")
    Path pcapIn;

    @Option(
            names = "--pcap-out",
            paramLabel = "FILE",
            description = "Write what goes out to the wire to this capture.")
    Path pcapOut;

    @Option(
            names = "--retarget",
            description = "Readdress the capture's frames to VM1, so that any capture will do.")
    boolean retarget;

    @Option(
            names = "--frames",
            paramLabel = "N",
            description = "Generate this many frames (default: as many as the time allows).")
    Long frames;

    @Option(
            names = "--size",
            paramLabel = "BYTES",
            description =
                    "Length of generated frames, with VLAN tag and without CRC (default: 64).")
    Integer size;

    @Option(
            names = "--vlan",
            paramLabel = "N",
            description =
                    "VLAN of frames that are generated or readdressed (default: 1000, VM1's).")
    Integer vlan;

    @Option(
            names = "--duration",
            paramLabel = "SECONDS",
            description = "Generate this long (default: 5).")
    Double duration;

    @Option(
            names = "--vm2vm",
            paramLabel = "0|1",
            description = "0: frames from guest to guest go to the wire instead (default: 1).")
    String vm2vm = "1";

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "The emulated host's directory (default: a fresh one below $XDG_RUNTIME_DIR or"
                            + " /dev/shm, removed in the end).")
    Path dir;

    @Option(
            names = "--keep",
            description = "Keep switch and guests running after the traffic, until Ctrl-C.")
    boolean keep;

    @Option(names = "--json", description = "Report as JSON, without the live counters.")
    boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this page.")
    boolean help;

    /** Checks what picocli cannot. */
    void check() {
        if (pcapIn == null) {
            refuse(pcapOut != null, "--pcap-out needs --pcap-in");
            refuse(retarget, "--retarget needs --pcap-in");
        } else {
            refuse(frames != null, "--frames is for generated frames, not for --pcap-in");
            refuse(size != null, "--size is for generated frames, not for --pcap-in");
            refuse(duration != null, "--duration is for generated frames, not for --pcap-in");
            refuse(vlan != null && !retarget, "--vlan with --pcap-in needs --retarget");
            refuse(sameFile(), "--pcap-in and --pcap-out are the same file");
            refuse(hasComma(pcapIn) || hasComma(pcapOut), "a capture's name must not have a comma");
        }
        refuse(frames != null && frames < 1, "--frames must be 1 or more");
        refuse(
                size != null
                        && (size < StampedFrame.MIN_LENGTH || size > Mempool.DEFAULT_DATA_ROOM),
                "--size must be "
                        + StampedFrame.MIN_LENGTH
                        + ".."
                        + Mempool.DEFAULT_DATA_ROOM
                        + ", not "
                        + size);
        refuse(vlan != null && (vlan < 0 || vlan > 4094), "--vlan must be 0..4094, not " + vlan);
        refuse(
                duration != null && !(duration > 0 && duration <= 86_400),
                "--duration must be more than 0 seconds and at most a day");
        refuse(
                !vm2vm.equals("0") && !vm2vm.equals("1"),
                "Invalid argument for vm2vm [0|1]: " + vm2vm);
    }

    private static void refuse(boolean wrong, String message) {
        if (wrong) {
            throw new UsageException(message);
        }
    }

    private boolean sameFile() {
        try {
            return pcapOut != null
                    && (pcapOut.toAbsolutePath()
                                    .normalize()
                                    .equals(pcapIn.toAbsolutePath().normalize())
                            || Files.exists(pcapOut) && Files.isSameFile(pcapIn, pcapOut));
        } catch (java.io.IOException e) {
            return false;
        }
    }

    private static boolean hasComma(Path path) {
        return path != null && path.toString().indexOf(',') >= 0;
    }

    boolean replay() {
        return pcapIn != null;
    }

    int vlan() {
        return vlan == null ? Topology.FIRST_VLAN : vlan;
    }

    int size() {
        return size == null ? StampedFrame.MIN_LENGTH : size;
    }

    /** Milliseconds to generate, 0 when only the number of frames ends it. */
    long generateMillis() {
        if (duration != null) {
            return Math.max(1, Math.round(duration * 1000));
        }
        return frames != null ? 0 : DEFAULT_SECONDS * 1000L;
    }
}
