package io.grantwire.tools.doctor;

import java.util.ArrayList;
import java.util.List;

/** Programs that the test suite and people use; nothing here is needed to run. */
final class ProgramProbe implements Probe {
    private static final String AREA = "Programs";

    private record Wanted(String program, String use, String debianPackage) {}

    private static final List<Wanted> WANTED =
            List.of(
                    new Wanted("mvn", "building", "maven"),
                    new Wanted(
                            "xenstore-ls",
                            "looking into the store with Xen's tools",
                            "xenstore-utils"),
                    new Wanted("tcpdump", "looking at captures", "tcpdump"),
                    new Wanted("ip", "veth pairs and taps", "iproute2"),
                    new Wanted("docker", "tests against a real xenstored", "docker.io"),
                    new Wanted("mmdebstrap", "the containers' base image", "mmdebstrap"),
                    new Wanted(
                            "qemu-system-x86_64",
                            "the network card and Xen test beds",
                            "qemu-system-x86"));

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        for (Wanted wanted : WANTED) {
            String path = m.program(wanted.program());
            found.add(
                    path.isEmpty()
                            ? Finding.lack(
                                    AREA,
                                    wanted.program(),
                                    "missing: " + wanted.use(),
                                    "sudo apt-get install " + wanted.debianPackage())
                            : Finding.ok(AREA, wanted.program(), path + ": " + wanted.use()));
        }
        return found;
    }
}
