package io.grantwire.tools.doctor;

import io.grantwire.xenstore.Xenstores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Xen: whether this is a domain and which kind, its devices and their limits, and the store. What a
 * switch needs is asked for in domain 0, what a front end needs in a guest.
 */
final class XenProbe implements Probe {
    private static final String AREA = "Xen";
    private static final String SHARED_LIMIT = "/sys/module/xen_gntalloc/parameters/limit";
    private static final String MAPPED_LIMIT = "/sys/module/xen_gntdev/parameters/limit";

    /** Pages that a port with a pool of testpmd's default size shares. */
    private static final int PORT_PAGES = 620;

    /** What Linux gives domain 0 instead of an identity. */
    private static final String NO_UUID = "00000000-0000-0000-0000-000000000000";

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        if (m.firstLine("/sys/hypervisor/type").equals("xen")) {
            boolean control = isControlDomain(m);
            found.add(
                    Finding.ok(
                            AREA,
                            "hypervisor",
                            version(m)
                                    + (control
                                            ? ", the control domain: the switch runs here"
                                            : ", a guest: front ends run here")));
            String sharing = "sharing pages (front ends, in guests)";
            String mapping = "mapping shared pages (the switch, in domain 0)";
            device(m, found, "gntalloc", "xen-gntalloc", sharing, !control);
            device(m, found, "gntdev", "xen-gntdev", mapping, control);
            device(m, found, "evtchn", "xen-evtchn", "event channels", true);
            if (control) {
                mappedLimit(m, found);
            } else {
                sharedLimit(m, found);
            }
            xenfs(m, found);
            if (m.isReal()) {
                found.addAll(StoreProbe.look(control));
            }
        } else {
            found.add(
                    Finding.note(
                            AREA,
                            "hypervisor",
                            "this is no Xen domain: programs use an emulated host"));
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

    /** By xenfs when it is mounted, else by the identity that domain 0 does not have. */
    private static boolean isControlDomain(Machine m) {
        return m.firstLine("/proc/xen/capabilities").contains("control_d")
                || m.firstLine("/sys/hypervisor/uuid").equals(NO_UUID);
    }

    private static String version(Machine m) {
        return "Xen "
                + m.firstLine("/sys/hypervisor/version/major")
                + "."
                + m.firstLine("/sys/hypervisor/version/minor");
    }

    private static void device(
            Machine m,
            List<Finding> found,
            String name,
            String module,
            String use,
            boolean needed) {
        String path = "/dev/xen/" + name;
        if (!m.exists(path)) {
            found.add(
                    needed
                            ? Finding.lack(
                                    AREA, path, "missing: no " + use, "sudo modprobe " + module)
                            : Finding.note(AREA, path, "missing, and not needed here: " + use));
        } else if (!m.mayUse(path)) {
            String mend = "sudo setfacl -m u:$USER:rw " + path;
            String detail = "there, but not for this user: no " + use;
            found.add(
                    needed
                            ? Finding.lack(AREA, path, detail, mend)
                            : Finding.note(AREA, path, detail));
        } else {
            found.add(Finding.ok(AREA, path, use));
        }
    }

    private static void sharedLimit(Machine m, List<Finding> found) {
        long limit = number(m.firstLine(SHARED_LIMIT));
        if (limit < 0) {
            return;
        }
        found.add(
                limit >= PORT_PAGES
                        ? Finding.ok(
                                AREA,
                                "grants",
                                limit
                                        + " pages may be shared; a port of testpmd takes some "
                                        + PORT_PAGES
                                        + (limit < 2 * PORT_PAGES
                                                ? ", so for a second one type: echo 6000 > "
                                                        + SHARED_LIMIT
                                                : ""))
                        : Finding.lack(
                                AREA,
                                "grants",
                                "only "
                                        + limit
                                        + " pages may be shared; a port of testpmd takes some "
                                        + PORT_PAGES,
                                "echo 6000 | sudo tee " + SHARED_LIMIT));
    }

    private static void mappedLimit(Machine m, List<Finding> found) {
        long limit = number(m.firstLine(MAPPED_LIMIT));
        if (limit < 0) {
            return;
        }
        found.add(
                limit > 0
                        ? Finding.ok(
                                AREA, "grants", limit + " may be mapped with one call of gntdev")
                        : Finding.lack(
                                AREA,
                                "grants",
                                "gntdev maps none",
                                "echo 65536 | sudo tee " + MAPPED_LIMIT));
    }

    private static void xenfs(Machine m, List<Finding> found) {
        if (m.exists("/dev/xen/xenbus")) {
            found.add(Finding.ok(AREA, "/dev/xen/xenbus", "the kernel's way to the store"));
        } else {
            found.add(
                    Finding.lack(
                            AREA,
                            "/dev/xen/xenbus",
                            "missing: no way to the store but xenstored's socket",
                            "sudo modprobe xenfs && sudo mount -t xenfs xenfs /proc/xen"));
        }
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
