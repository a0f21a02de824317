package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Physical frames, from {@code /proc/self/pagemap} (Linux: admin-guide/mm/pagemap.rst). */
final class PageMap implements FrameTable {
    private static final String FILE = "/proc/self/pagemap";
    private static final long PRESENT = 1L << 63;
    private static final long FRAME = (1L << 55) - 1;

    private final Fd file;

    private PageMap(Fd file) {
        this.file = file;
    }

    /**
     * Opens this process's.
     *
     * @throws PciException when it cannot be read
     */
    static PageMap open() {
        try {
            return new PageMap(Fd.open(FILE, LibC.O_RDONLY()));
        } catch (NativeException e) {
            throw new PciException("physical addresses: " + e.getMessage(), e);
        }
    }

    @Override
    public long frameOf(long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entry = arena.allocate(JAVA_LONG);
            int got = file.pread(entry, address / Mapping.pageSize() * Long.BYTES);
            if (got != Long.BYTES) {
                throw new PciException("physical addresses: EIO (" + FILE + " ends early)");
            }
            return frame(entry.get(JAVA_LONG, 0));
        } catch (NativeException e) {
            throw new PciException("physical addresses: " + e.getMessage(), e);
        }
    }

    /** Reads an entry. */
    static long frame(long entry) {
        if ((entry & PRESENT) == 0) {
            throw new PciException("physical addresses: EFAULT (a page is not present)");
        }
        long frame = entry & FRAME;
        if (frame == 0) {
            // What the kernel shows to those who may not know.
            throw new PciException(
                    "physical addresses: EPERM (the kernel hides them; run as root, or bind the"
                            + " device to vfio-pci)");
        }
        return frame;
    }

    @Override
    public String description() {
        return "physical addresses; nothing keeps devices within the memory given to them";
    }
}
