package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Machine frames in a paravirtualized domain of Xen. There the kernel's frame numbers are its own
 * invention, and devices use the machine's; the kernel's table from one to the other, at the
 * address in {@code xen_p2m_addr} (Linux: arch/x86/xen/p2m.c), is read from {@code /proc/kcore}.
 */
final class XenFrames implements FrameTable {
    private static final String SYMBOL = "xen_p2m_addr";

    /** asm/xen/page.h: FOREIGN_FRAME_BIT and IDENTITY_FRAME_BIT. */
    private static final long FOREIGN = 1L << 63;

    private static final long IDENTITY = 1L << 62;
    private static final long INVALID = -1;

    private final FrameTable guest;
    private final KernelCore core;
    private final long table;

    private XenFrames(FrameTable guest, KernelCore core, long table) {
        this.guest = guest;
        this.core = core;
        this.table = table;
    }

    /** Whether this is a paravirtualized domain. */
    static boolean isParavirtualized(Path sysfs) {
        try {
            Path hypervisor = sysfs.resolve("hypervisor");
            return Files.readString(hypervisor.resolve("type")).strip().equals("xen")
                    && Files.readString(hypervisor.resolve("guest_type")).strip().equals("PV");
        } catch (IOException none) {
            return false;
        }
    }

    /**
     * This machine's.
     *
     * @param guest the kernel's frame numbers
     * @throws PciException when the kernel's memory cannot be read
     */
    static XenFrames open(FrameTable guest) {
        return open(guest, Path.of("/proc/kallsyms"), Path.of("/proc/kcore"));
    }

    static XenFrames open(FrameTable guest, Path kallsyms, Path kcore) {
        try {
            OptionalLong symbol = KernelCore.symbol(kallsyms, SYMBOL);
            if (symbol.isEmpty()) {
                throw new PciException(
                        "machine addresses: EPERM (no "
                                + SYMBOL
                                + " in "
                                + kallsyms
                                + "; run as root, and see: sysctl kernel.kptr_restrict)");
            }
            KernelCore core = KernelCore.open(kcore);
            try {
                return new XenFrames(guest, core, core.readLong(symbol.getAsLong()));
            } catch (IOException e) {
                core.close();
                throw e;
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static PciException unreadable(IOException e) {
        return new PciException(
                "machine addresses: EIO (they are in the kernel's memory, which root can read where"
                        + " the kernel is not locked down: "
                        + e.getMessage()
                        + ")",
                e);
    }

    @Override
    public long frameOf(long address) {
        long own = guest.frameOf(address);
        long entry;
        try {
            entry = core.readLong(table + own * Long.BYTES);
        } catch (IOException e) {
            throw unreadable(e);
        }
        if (entry == INVALID || (entry & FOREIGN) != 0) {
            throw new PciException(
                    "machine addresses: EFAULT (frame 0x"
                            + Long.toHexString(own)
                            + " is not this domain's memory)");
        }
        return entry & ~IDENTITY;
    }

    @Override
    public String description() {
        return "machine addresses of Xen, in pieces of "
                + Mapping.pageSize()
                + " bytes; nothing keeps devices within the memory given to them";
    }
}
