package io.grantwire.xenstore.server;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstorePath;
import io.grantwire.xenstore.XenstorePermission;
import io.grantwire.xenstore.XenstoreTransaction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;

/**
 * The keys that a toolstack makes for a new domain, as far as programs in the domain look for them:
 * its name and number, the directories it may write, and those it may only read. Layout and
 * permissions are libxl's ({@code docs/misc/xenstore-paths.pandoc} of the Xen tree), with two
 * differences: {@code device} belongs to the guest, and {@code control/dpdk} exists and belongs to
 * the guest, because libxl makes {@code control} read-only and a xenvirt front end has to write its
 * keys there (xenvirt protocol, docs/protocol.md).
 */
public final class DomainSkeleton {
    private static final String[] GUEST_OWNED = {
        "control/dpdk",
        "control/shutdown",
        "control/feature-poweroff",
        "control/feature-reboot",
        "control/feature-suspend",
        "control/sysrq",
        "data",
        "device",
        "drivers",
        "feature",
        "attr",
        "error"
    };

    private static final String[] READ_ONLY = {"cpu", "memory", "control"};

    /** What a domain on a host without a hypervisor reports as its memory, in KiB. */
    private static final String MEMORY_KIB = "262144";

    private DomainSkeleton() {}

    /**
     * Makes a domain's keys; what there was of a domain with the same number is removed.
     *
     * @param dom0 a connection with domain 0's rights
     * @param domid the domain's number; 0 makes the host's own directory, which has no guest in it
     * @param name what people call the domain
     */
    public static void create(Xenstore dom0, int domid, String name) {
        String home = XenstorePath.ofDomain(domid);
        String uuid = uuid(domid, name);
        dom0.transaction(tx -> {
            fresh(tx, home, domid);
            tx.write(home + "/name", name);
            tx.write(home + "/domid", Integer.toString(domid));
            if (domid == 0) {
                return null;
            }
            String vm = "/vm/" + uuid;
            fresh(tx, vm, domid);
            tx.write(vm + "/uuid", uuid);
            tx.write(vm + "/name", name);
            tx.write(home + "/vm", vm);
            for (String path : READ_ONLY) {
                directory(tx, home + "/" + path, readOnly(domid));
            }
            tx.write(home + "/cpu/0/availability", "online");
            tx.write(home + "/memory/static-max", MEMORY_KIB);
            tx.write(home + "/memory/target", MEMORY_KIB);
            tx.write(home + "/control/platform-feature-xs_reset_watches", "1");
            for (String path : GUEST_OWNED) {
                directory(tx, home + "/" + path, owned(domid));
            }
            return null;
        });
    }

    /**
     * Removes a domain's keys, those that domain 0 owns too.
     *
     * @param dom0 a connection with domain 0's rights
     * @param domid the domain's number
     */
    public static void remove(Xenstore dom0, int domid) {
        String home = XenstorePath.ofDomain(domid);
        dom0.transaction(tx -> {
            if (!tx.exists(home)) {
                return null;
            }
            String vm = tx.readString(home + "/vm");
            // Domain 0's rights are at work here: only what this class makes may be removed.
            if (vm != null && vm.matches("/vm/[0-9a-f-]{36}")) {
                tx.rm(vm);
            }
            tx.rm(home);
            return null;
        });
    }

    /** An empty directory that the guest may read, whatever was there. */
    private static void fresh(XenstoreTransaction tx, String path, int domid) {
        tx.mkdir(XenstorePath.parent(path)); // else there would be nothing to remove it from
        tx.rm(path);
        directory(tx, path, readOnly(domid));
    }

    private static void directory(
            XenstoreTransaction tx, String path, List<XenstorePermission> permissions) {
        tx.mkdir(path);
        tx.setPermissions(path, permissions);
    }

    private static List<XenstorePermission> readOnly(int domid) {
        XenstorePermission owner = new XenstorePermission(0, false, false);
        return domid == 0
                ? List.of(owner)
                : List.of(owner, new XenstorePermission(domid, true, false));
    }

    private static List<XenstorePermission> owned(int domid) {
        return List.of(new XenstorePermission(domid, false, false));
    }

    private static String uuid(int domid, String name) {
        return UUID.nameUUIDFromBytes((domid + "/" + name).getBytes(StandardCharsets.UTF_8))
                .toString();
    }
}
