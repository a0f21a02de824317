package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;

/**
 * What to type next, by failure. Package-private: callers see it in {@link NativeException#hint}.
 */
final class Hints {
    private Hints() {}

    /** Advice for a failed {@code open} of a path; null when nothing useful is known. */
    static String open(String path, int errno) {
        boolean absent = errno == LibC.ENOENT() || errno == LibC.ENODEV() || errno == LibC.ENXIO();
        boolean denied = errno == LibC.EACCES() || errno == LibC.EPERM();
        if (errno == LibC.EMFILE()) {
            return "too many open descriptors; raise the limit with: ulimit -n 65536";
        }
        if (path.equals("/dev/net/tun")) {
            return absent
                    ? "load the driver with: modprobe tun"
                    : denied ? "run as root, or: setcap cap_net_admin+ep on the java binary" : null;
        }
        if (path.startsWith("/dev/xen/")) {
            String module =
                    switch (path.substring("/dev/xen/".length())) {
                        case "gntalloc" -> "xen-gntalloc";
                        case "gntdev" -> "xen-gntdev";
                        case "evtchn" -> "xen-evtchn";
                        default -> "xenfs";
                    };
            return absent
                    ? "on a Xen domain load it with: modprobe " + module
                    : denied ? "run as root" : null;
        }
        if (path.startsWith("/dev/vfio/")) {
            return absent
                    ? "load the driver with: modprobe vfio-pci, and bind the device to it"
                    : denied ? "run as root, or chown the group's node in /dev/vfio" : null;
        }
        return denied ? "run as root or as the owner of " + path : null;
    }

    /** Advice for running out of huge pages while asking for a number of bytes. */
    static String hugePages(long bytes, int errno) {
        if (errno == LibC.ENOMEM() || errno == LibC.ENOSPC()) {
            long size = HugePages.defaultSize();
            long need = size == 0 ? 0 : (bytes + size - 1) / size;
            return need == 0
                    ? "this kernel offers no huge pages"
                    : need
                            + " free huge pages of "
                            + size / 1024
                            + " KiB are needed; reserve them with: sysctl vm.nr_hugepages="
                            + (need + HugePages.inUse());
        }
        return errno == LibC.EINVAL() ? "this kernel offers no huge pages" : null;
    }

    /** Advice for failing to get ordinary memory. */
    static String memory(long bytes, int errno) {
        if (errno == LibC.ENOMEM() || errno == LibC.ENOSPC()) {
            return (bytes >>> 20)
                    + " MiB asked for; ask for less, free memory, or see ulimit -v and"
                    + " vm.max_map_count";
        }
        return errno == LibC.EAGAIN() ? "raise the locked-memory limit with: ulimit -l" : null;
    }

    /** Advice for failing to lock a number of bytes in memory. */
    static String locking(long bytes, int errno) {
        if (errno != LibC.ENOMEM() && errno != LibC.EPERM() && errno != LibC.EAGAIN()) {
            return null;
        }
        long limit = ResourceLimits.memlock();
        String room = limit == ResourceLimits.UNLIMITED ? "no" : limit / 1024 + " KiB as";
        return bytes / 1024
                + " KiB are to be locked, with "
                + room
                + " limit; raise it with: ulimit -l unlimited, or: prlimit --memlock=unlimited"
                + " --pid "
                + Process.pid();
    }

    /** Advice for network operations that need a capability. */
    static String network(String capability, int errno) {
        if (errno == LibC.EPERM() || errno == LibC.EACCES()) {
            return "run as root, or give the process " + capability;
        }
        if (errno == LibC.ENODEV() || errno == LibC.ENXIO()) {
            return "list the interfaces with: ip link";
        }
        return errno == LibC.ENETDOWN() ? "bring it up with: ip link set NAME up" : null;
    }
}
