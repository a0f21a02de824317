package io.grantwire.tools.doctor;

import io.grantwire.bindings.CpuAffinity;
import io.grantwire.bindings.HugePages;
import io.grantwire.bindings.ResourceLimits;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/** CPUs, memory, huge pages and limits. */
final class MemoryProbe implements Probe {
    private static final String AREA = "Machine";
    private static final long MIB = 1 << 20;
    private static final long MIN_SHM = 64 * MIB;
    private static final long MIN_FILES = 256;

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        int cpus = CpuAffinity.available();
        found.add(
                cpus >= 4
                        ? Finding.ok(AREA, "CPUs", cpus + " for this process")
                        : Finding.note(
                                AREA,
                                "CPUs",
                                cpus
                                        + " for this process: polling threads share them, so latency"
                                        + " is the scheduler's"));
        found.add(sharedMemory(m));
        found.addAll(hugePages(m));
        found.add(memlock());
        long files = ResourceLimits.openFiles();
        found.add(
                files >= MIN_FILES
                        ? Finding.ok(AREA, "open files", number(files))
                        : Finding.lack(
                                AREA,
                                "open files",
                                files + " allowed; many guests need more",
                                "ulimit -n 4096"));
        return found;
    }

    private static Finding sharedMemory(Machine m) {
        String path = "/dev/shm";
        try {
            if (!Files.isWritable(m.path(path))) {
                return Finding.lack(
                        AREA,
                        path,
                        "not writable: the emulated host needs another directory",
                        "export XDG_RUNTIME_DIR=/tmp, or --dir DIR");
            }
            FileStore store = Files.getFileStore(m.path(path));
            long free = store.getUsableSpace();
            return free >= MIN_SHM
                    ? Finding.ok(AREA, path, free / MIB + " MiB free")
                    : Finding.lack(
                            AREA,
                            path,
                            free / MIB + " MiB free; a demo takes about 20",
                            "sudo mount -o remount,size=1G /dev/shm");
        } catch (IOException e) {
            return Finding.lack(AREA, path, "missing", "sudo mount -t tmpfs tmpfs /dev/shm");
        }
    }

    private static List<Finding> hugePages(Machine m) {
        List<Finding> found = new ArrayList<>();
        for (HugePages.Pool pool : HugePages.pools(m.path("/sys/kernel/mm/hugepages"))) {
            if (pool.total() > 0) {
                found.add(
                        Finding.ok(
                                AREA,
                                "huge pages",
                                pool.free()
                                        + " of "
                                        + pool.total()
                                        + " free, "
                                        + pool.sizeBytes() / MIB
                                        + " MiB each"));
            }
        }
        if (found.isEmpty()) {
            found.add(
                    Finding.lack(
                            AREA,
                            "huge pages",
                            "none reserved; only real network cards profit from them",
                            "sudo sysctl vm.nr_hugepages=512"));
        }
        return found;
    }

    private static Finding memlock() {
        long bytes = ResourceLimits.memlock();
        return bytes >= 64 * MIB
                ? Finding.ok(AREA, "locked memory", number(bytes))
                : Finding.lack(
                        AREA,
                        "locked memory",
                        bytes / 1024 + " KiB allowed; VFIO without root needs more",
                        "ulimit -l unlimited (or memlock in /etc/security/limits.conf)");
    }

    private static String number(long value) {
        return value == ResourceLimits.UNLIMITED ? "unlimited" : Long.toString(value);
    }
}
