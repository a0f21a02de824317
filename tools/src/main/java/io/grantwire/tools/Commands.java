package io.grantwire.tools;

import io.grantwire.tools.cli.Command;
import java.util.List;
import java.util.function.Supplier;

/** The commands there are. */
final class Commands {
    /**
     * One row of the table.
     *
     * @param name what is typed
     * @param summary one line for the overview; empty for a command that only other commands start
     * @param create makes the command; called for the one that runs, so that starting one does not
     *     load the others
     */
    record Entry(String name, String summary, Supplier<Command> create) {}

    static final List<Entry> ALL =
            List.of(
                    new Entry(
                            "demo",
                            "the whole path on this machine: switch, two guests, traffic",
                            io.grantwire.tools.demo.DemoCommand::new),
                    new Entry(
                            "switch",
                            "the back end: serves guests, moves frames to and from the wire",
                            io.grantwire.tools.vswitch.SwitchCommand::new),
                    new Entry(
                            "testpmd",
                            "the guest's side, and a tester for any port",
                            io.grantwire.tools.testpmd.TestpmdCommand::new),
                    new Entry(
                            "host",
                            "an emulated host alone: a store, grants, event channels",
                            io.grantwire.tools.host.HostCommand::new),
                    new Entry(
                            "nic-bind",
                            "which driver has which PCI device, and moving devices between them",
                            io.grantwire.tools.nicbind.NicBindCommand::new),
                    new Entry(
                            "xenstore",
                            "read, write and watch the store: ls, read, write, rm, chmod, watch …",
                            io.grantwire.tools.xenstore.XenstoreCommand::new),
                    new Entry(
                            "doctor",
                            "what this machine offers, and how to mend what lacks",
                            io.grantwire.tools.doctor.DoctorCommand::new),
                    new Entry(
                            "bench",
                            "how fast the packet path and its parts are; side by side with DPDK",
                            io.grantwire.tools.bench.BenchCommand::new),
                    new Entry(
                            "testbed",
                            "real Xen in QEMU: build images, run jobs, a console",
                            io.grantwire.tools.testbed.TestbedCommand::new),
                    new Entry("bench-peer", "", io.grantwire.tools.bench.peer.PeerCommand::new),
                    new Entry("bench-micro", "", io.grantwire.tools.bench.micro.MicroCommand::new),
                    new Entry(
                            "soak-guest",
                            "",
                            io.grantwire.tools.bench.soak.TrafficGuest.Process::new),
                    new Entry("soak-hostile", "", io.grantwire.tools.bench.soak.HostileGuest::new),
                    new Entry("generator", "", io.grantwire.tools.demo.GeneratorCommand::new),
                    new Entry("rehearse", "", io.grantwire.tools.rehearsal.RehearseCommand::new));

    private Commands() {}

    static Entry find(String name) {
        for (Entry entry : ALL) {
            if (entry.name().equals(name)) {
                return entry;
            }
        }
        return null;
    }
}
