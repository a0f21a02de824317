package io.grantwire.tools.eal;

import io.grantwire.tools.cli.UsageException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options in front of {@code --}: those of DPDK's environment abstraction layer that mean
 * something here, and those that are taken so that command lines written for it still work.
 */
public final class EalOptions {
    @Option(names = "-c", paramLabel = "MASK", description = "Lcores, as a hexadecimal mask.")
    String coremask;

    @Option(names = "-l", paramLabel = "LIST", description = "Lcores, as a list: 0,2-3.")
    String corelist;

    @Option(
            names = "--lcores",
            paramLabel = "MAP",
            description = "Lcores and the CPUs they run on: 0@1,(2-3)@(4-5).")
    String lcores;

    @Option(
            names = {"--main-lcore", "--master-lcore"},
            paramLabel = "ID",
            description = "The lcore that does not forward (default: the lowest).")
    Integer mainLcore;

    @Option(
            names = "--vdev",
            paramLabel = "DEV",
            description =
                    "Make a virtual device: eth_xenvirt0[,mac=…], net_pcap0,rx_pcap=F,tx_pcap=F,"
                            + " net_tap0,iface=NAME, net_af_packet0,iface=NAME, net_null0.")
    List<String> vdevs = new ArrayList<>();

    @Option(
            names = {"-a", "--allow", "-w"},
            paramLabel = "BDF",
            description = "Use this PCI device; grantwire nic-bind takes it from the kernel.")
    List<String> allow = new ArrayList<>();

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            description = "1 (emergency) to 8 (debug), or a name.")
    String logLevel;

    @Option(
            names = {
                "-n",
                "-m",
                "-r",
                "-b",
                "--block",
                "-d",
                "--file-prefix",
                "--proc-type",
                "--socket-mem",
                "--huge-dir",
                "--iova-mode",
                "--base-virtaddr",
                "--vfio-intr",
                "--syslog"
            },
            paramLabel = "X",
            description = "Taken for compatibility; no effect here.")
    List<String> ignoredValues = new ArrayList<>();

    @Option(
            names = {
                "--no-huge",
                "--no-pci",
                "--xen-dom0",
                "--in-memory",
                "--no-shconf",
                "--huge-unlink",
                "--no-hpet",
                "--no-telemetry",
                "--legacy-mem",
                "--single-file-segments",
                "--create-uio-dev",
                "-v"
            },
            description = "Taken for compatibility; no effect here.")
    List<Boolean> ignoredFlags = new ArrayList<>();

    @Mixin DomainArgs domain = new DomainArgs();

    /** The virtual devices asked for, in order. */
    public List<String> vdevs() {
        return vdevs;
    }

    /** The PCI devices asked for, in order. */
    public List<String> allowed() {
        return allow;
    }

    /** The log level given, or null. */
    public String logLevel() {
        return logLevel;
    }

    /** Which host and domain. */
    public DomainArgs domain() {
        return domain;
    }

    /**
     * The lcores that forward. Without a core option there is one, on whatever CPU is free; with
     * one, all but the main lcore, which runs the commands.
     */
    public List<CoreList.Core> workers() {
        int given =
                (coremask != null ? 1 : 0) + (corelist != null ? 1 : 0) + (lcores != null ? 1 : 0);
        if (given > 1) {
            throw new UsageException("Options -c, -l and --lcores exclude each other");
        }
        if (given == 0) {
            return List.of(new CoreList.Core(1, CoreList.ANY_CPU));
        }
        List<CoreList.Core> cores =
                coremask != null
                        ? CoreList.mask(coremask)
                        : corelist != null ? CoreList.list(corelist) : CoreList.map(lcores);
        int main = mainLcore == null ? cores.getFirst().lcore() : mainLcore;
        if (cores.stream().noneMatch(core -> core.lcore() == main)) {
            throw new UsageException("Main lcore " + main + " is not among the lcores");
        }
        if (cores.size() == 1) {
            throw new UsageException(
                    "Not enough cores: one runs the commands, so give at least two (-l 0,1)");
        }
        return cores.stream().filter(core -> core.lcore() != main).toList();
    }
}
