package io.grantwire.tools.vswitch;

import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.eal.CoreList;
import io.grantwire.vswitch.MacRules;
import io.grantwire.vswitch.SwitchConfig;
import io.grantwire.vswitch.UplinkSpec;
import io.grantwire.vswitch.WireTag;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Option;

/** The switch's options: vhost-switch's with its messages, then ours. */
@picocli.CommandLine.Command(
        name = "grantwire switch",
        sortOptions = false,
        description =
                "Run the switch: serve the xenvirt devices of all guests of this host, and move"
                        + " frames between them and the uplinks, until Ctrl-C.",
        footer = {
            "",
            "Uplinks: pcap:in=FILE,out=FILE  tap:NAME  af_packet:IFACE  pci:BDF  xenvirt:DOMID  null",
            "",
            "The original's form works too: grantwire switch -c f -n 3 --xen-dom0 -- -p 1 --vm2vm 1"
        })
final class SwitchOptions {
    @Option(
            names = "-p",
            paramLabel = "MASK",
            description = "The port to use, a hexadecimal mask with one bit (default: 1).")
    String portMask;

    @Option(
            names = "--uplink",
            paramLabel = "SPEC",
            description = "The wire; may be given several times (default: null).")
    List<String> uplinks = new ArrayList<>();

    @Option(
            names = "--vm2vm",
            paramLabel = "0|1",
            description = "1: frames go from guest to guest; 0: all go to the wire (default: 1).")
    String vm2vm = "1";

    @Option(
            names = "--stats",
            paramLabel = "SECONDS",
            description = "Show the statistics screen this often; 0: never (default: 0).")
    String stats = "0";

    @Option(
            names = "--vlan-strip",
            paramLabel = "0|1",
            description = "1: take the VLAN tag off frames for guests (default: 1).")
    String vlanStrip = "1";

    @Option(
            names = "--wire-tag",
            paramLabel = "vlan|zero|none",
            description =
                    "Tag frames for the wire with the sender's VLAN, with VLAN 0, or not (default:"
                            + " vlan).")
    String wireTag = "vlan";

    @Option(
            names = "--flood",
            paramLabel = "0|1",
            description = "1: broadcast and multicast frames reach guests (default: 0).")
    String flood = "0";

    @Option(
            names = "--vmdq",
            paramLabel = "0|1",
            description =
                    "1: cards that can sort frames from the wire into VMDq pools do; 0: all is"
                            + " sorted in software (default: 1).")
    String vmdq = "1";

    @Option(
            names = "--mac",
            paramLabel = "WHO=MAC[,MAC]",
            description =
                    "A guest, by its name or number, that has these addresses: it gets no others,"
                            + " and nobody else gets them. May be given several times.")
    List<String> macs = new ArrayList<>();

    @Option(
            names = "--rx-retry",
            paramLabel = "MS",
            description =
                    "How long a frame waits for a guest without buffers before it is dropped"
                            + " (default: 10000 when an uplink loses nothing, such as pcap; else 0).")
    String rxRetry;

    @Option(
            names = "--rx-usecs",
            paramLabel = "USEC",
            description =
                    "How long frames from a busy wire may wait for more while eight guests or more"
                            + " of a worker get some, so that each gets several at once; 0: not at"
                            + " all (default: 100).")
    String rxUsecs;

    @Option(
            names = "--lcores",
            paramLabel = "LIST",
            description = "One worker per lcore, pinned: 1,2 or 1@3 (default: one, not pinned).")
    String lcores;

    @Option(
            names = "--uplink-after",
            paramLabel = "N",
            description = "Read the uplinks only when N guest devices are there (default: 0).")
    String uplinkAfter = "0";

    @Option(names = "--emulated", description = "Use an emulated host even where there is Xen.")
    boolean emulated;

    @Option(names = "--xen", description = "Insist on real Xen.")
    boolean xen;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "The emulated host's directory: join the host that runs there, or start one"
                            + " (default: grantwire below $XDG_RUNTIME_DIR, or"
                            + " /dev/shm/grantwire-<uid>).")
    Path dir;

    @Option(
            names = "--ctl",
            paramLabel = "SOCKET",
            description =
                    "Where grantwire switch ctl reaches this switch; -: nowhere (default:"
                            + " switch.sock in the emulated host's directory, or in /run/grantwire"
                            + " on Xen).")
    Path ctl;

    @Option(
            names = "--json",
            description = "Statistics as JSON, a line each time; log lines go to standard error.")
    boolean json;

    @Option(names = "--log-level", paramLabel = "LEVEL", description = "1 to 8, or a name.")
    String logLevel = "info";

    @Option(
            names = "-c",
            paramLabel = "MASK",
            description = "Lcores as a mask; the lowest is main.")
    String coremask;

    @Option(
            names = "-l",
            paramLabel = "LIST",
            description = "Lcores as a list; the lowest is main.")
    String corelist;

    @Option(
            names = {"-n", "-m", "--file-prefix", "--socket-mem", "--huge-dir", "--proc-type"},
            paramLabel = "X",
            description = "Taken for compatibility; no effect here.")
    List<String> ignoredValues = new ArrayList<>();

    @Option(
            names = "--no-huge",
            description = "Packet memory in ordinary pages, even where huge ones are reserved.")
    boolean noHuge;

    @Option(
            names = {"--xen-dom0", "--no-pci", "--in-memory", "--no-shconf"},
            description = "Taken for compatibility; no effect here.")
    List<Boolean> ignoredFlags = new ArrayList<>();

    @Option(
            names = "--control",
            hidden = true,
            description = "A line in asks for statistics; the end of the input ends.")
    boolean control;

    @Option(names = "--new-host", hidden = true, description = "Start a host, never join one.")
    boolean newHost;

    @Option(
            names = "--retarget",
            hidden = true,
            paramLabel = "MAC/VLAN",
            description = "Rewrite what a capture's frames are addressed to.")
    String retarget;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this page.")
    boolean help;

    /** Seconds between screens. */
    int statsSeconds() {
        if (!stats.matches("[0-9]{1,6}")) {
            throw new UsageException("Invalid argument for stats [0..N]: " + stats);
        }
        return Integer.parseInt(stats);
    }

    /** The switch's configuration. */
    SwitchConfig config(List<UplinkSpec> opened) {
        checkPortMask();
        SwitchConfig.Builder builder = SwitchConfig.builder();
        opened.forEach(builder::uplink);
        builder.vm2vm(zeroOrOne("vm2vm", vm2vm));
        builder.vlanStrip(zeroOrOne("vlan-strip", vlanStrip));
        builder.flood(zeroOrOne("flood", flood));
        builder.vmdq(zeroOrOne("vmdq", vmdq));
        builder.wireTag(tag());
        builder.macs(macRules());
        if (rxRetry != null) {
            builder.rxRetry(Duration.ofMillis(number("rx-retry", rxRetry, 3_600_000)));
        }
        if (rxUsecs != null) {
            int most = (int) TimeUnit.NANOSECONDS.toMicros(SwitchConfig.MAX_RX_COALESCE.toNanos());
            builder.rxCoalesce(Duration.of(number("rx-usecs", rxUsecs, most), ChronoUnit.MICROS));
        }
        builder.uplinkAfterDevices(number("uplink-after", uplinkAfter, 64));
        builder.memory(noHuge ? MemorySource.plain() : MemorySource.hugePagesOrPlain());
        builder.lcores(workers());
        return builder.build();
    }

    private void checkPortMask() {
        if (portMask == null) {
            return;
        }
        String digits = portMask.replaceFirst("^0[xX]", "");
        if (!digits.matches("[0-9a-fA-F]{1,8}") || Long.parseLong(digits, 16) == 0) {
            throw new UsageException("Invalid portmask: " + portMask);
        }
        int enabled = Long.bitCount(Long.parseLong(digits, 16));
        if (enabled > 1) {
            throw new UsageException(
                    "Current enabled port number is "
                            + enabled
                            + ", but only 1 port can be enabled (give more wires with --uplink)");
        }
    }

    private static boolean zeroOrOne(String option, String value) {
        if (!value.equals("0") && !value.equals("1")) {
            throw new UsageException("Invalid argument for " + option + " [0|1]: " + value);
        }
        return value.equals("1");
    }

    private static int number(String option, String value, int most) {
        if (!value.matches("[0-9]{1,9}") || Integer.parseInt(value) > most) {
            throw new UsageException(
                    "Invalid argument for " + option + " [0.." + most + "]: " + value);
        }
        return Integer.parseInt(value);
    }

    private MacRules macRules() {
        try {
            return MacRules.parse(macs);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--mac: " + e.getMessage());
        }
    }

    private WireTag tag() {
        try {
            return WireTag.valueOf(wireTag.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new UsageException("Invalid argument for wire-tag [vlan|zero|none]: " + wireTag);
        }
    }

    /** With {@code --lcores} every lcore works; with the EAL's options the lowest does not. */
    private List<SwitchConfig.WorkerLcore> workers() {
        List<CoreList.Core> cores = List.of();
        if (lcores != null) {
            cores = CoreList.map(lcores);
        } else if (coremask != null || corelist != null) {
            List<CoreList.Core> all =
                    coremask != null ? CoreList.mask(coremask) : CoreList.list(corelist);
            if (all.size() < 2) {
                throw new UsageException(
                        "Not enough cores: the lowest one monitors, so give at least two (-c 3)");
            }
            cores = all.subList(1, all.size());
        }
        if (cores.isEmpty()) {
            return List.of(SwitchConfig.WorkerLcore.ANY);
        }
        int[] allowed = io.grantwire.bindings.CpuAffinity.allowed();
        return cores.stream()
                .filter(core -> lcores != null || contains(allowed, core.cpu()))
                .map(core -> worker(core, allowed))
                .toList();
    }

    private static SwitchConfig.WorkerLcore worker(CoreList.Core core, int[] allowed) {
        int cpu = contains(allowed, core.cpu()) ? core.cpu() : CoreList.ANY_CPU;
        return new SwitchConfig.WorkerLcore(core.lcore(), cpu);
    }

    private static boolean contains(int[] allowed, int cpu) {
        for (int one : allowed) {
            if (one == cpu) {
                return true;
            }
        }
        return false;
    }
}
