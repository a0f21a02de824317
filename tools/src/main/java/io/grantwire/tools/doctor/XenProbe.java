package io.grantwire.tools.doctor;

import io.grantwire.xenstore.Xenstores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Xen: whether this is a domain, its devices, their limits, and the store. */
final class XenProbe implements Probe {
    private static final String AREA = "Xen";

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        boolean xen = m.firstLine("/sys/hypervisor/type").equals("xen");
        if (!xen) {
            found.add(
                    Finding.note(
                            AREA,
                            "hypervisor",
                            "this is no Xen domain: programs use an emulated host"));
        } else {
            found.add(Finding.ok(AREA, "hypervisor", version(m)));
            device(m, found, "gntalloc", "xen_gntalloc", "sharing pages (guests)");
            device(m, found, "gntdev", "xen_gntdev", "mapping shared pages (the switch)");
            device(m, found, "evtchn", "xen_evtchn", "event channels");
            limit(m, found);
            store(found);
        }
        Optional<String> library = Xenstores.libraryUnavailable();
        found.add(
                library.isEmpty()
                        ? Finding.ok(AREA, "libxenstore", "loaded")
                        : Finding.lack(
                                AREA,
                                "libxenstore",
                                library.get() + "; the wire protocol is used instead",
                                "sudo apt-get install libxenstore4"));
        return found;
    }

    private static String version(Machine m) {
        String major = m.firstLine("/sys/hypervisor/version/major");
        String minor = m.firstLine("/sys/hypervisor/version/minor");
        String capabilities = m.firstLine("/proc/xen/capabilities");
        return "Xen "
                + major
                + "."
                + minor
                + (capabilities.contains("control_d") ? ", the control domain" : ", a guest");
    }

    private static void device(
            Machine m, List<Finding> found, String name, String module, String use) {
        String path = "/dev/xen/" + name;
        if (!m.exists(path)) {
            found.add(Finding.lack(AREA, path, "missing: no " + use, "sudo modprobe " + module));
        } else if (!m.mayUse(path)) {
            found.add(
                    Finding.lack(
                            AREA,
                            path,
                            "there, but not for this user: no " + use,
                            "sudo setfacl -m u:$USER:rw " + path));
        } else {
            found.add(Finding.ok(AREA, path, use));
        }
    }

    private static void limit(Machine m, List<Finding> found) {
        String limit = m.firstLine("/sys/module/xen_gntalloc/parameters/limit");
        if (limit.isEmpty()) {
            return;
        }
        boolean enough = limit.length() > 4 || Integer.parseInt(limit) >= 1024;
        found.add(
                enough
                        ? Finding.ok(AREA, "grants", limit + " pages may be shared")
                        : Finding.lack(
                                AREA,
                                "grants",
                                "only " + limit + " pages may be shared; a port needs 600",
                                "echo 6000 | sudo tee /sys/module/xen_gntalloc/parameters/limit"));
    }

    private static void store(List<Finding> found) {
        Optional<String> reason = Xenstores.hostUnavailable();
        found.add(
                reason.isEmpty()
                        ? Finding.ok(AREA, "xenstore", "there")
                        : Finding.lack(AREA, "xenstore", reason.get(), "sudo modprobe xenfs"));
    }
}
