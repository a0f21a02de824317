package io.grantwire.vfio;

import java.util.OptionalInt;

/**
 * The configuration space of a function (PCI Local Bus Specification 3.0, chapter 6), little
 * endian. Offsets are bytes; accesses must be aligned. Control path only: each is a system call.
 *
 * <p>All methods throw {@link PciException} when the kernel refuses, and {@link
 * IndexOutOfBoundsException} beyond {@link #size}.
 */
public interface PciConfigSpace {
    /** Offset of the command register. */
    int COMMAND = 0x04;

    /** Bits of the command register: memory accesses, bus mastering, INTx off. */
    int COMMAND_MEMORY = 1 << 1;

    /** See {@link #COMMAND_MEMORY}. */
    int COMMAND_MASTER = 1 << 2;

    /** See {@link #COMMAND_MEMORY}. */
    int COMMAND_INTX_DISABLE = 1 << 10;

    /** Offset of the status register, whose bit 4 says that there are capabilities. */
    int STATUS = 0x06;

    /** Offset of the first capability's offset. */
    int CAPABILITIES = 0x34;

    /** Bytes that can be read: 64, 256 or 4096. */
    int size();

    /** Reads 8 bits, 0 to 0xff. */
    int read8(int offset);

    /** Reads 16 bits, 0 to 0xffff. */
    int read16(int offset);

    /** Reads 32 bits. */
    int read32(int offset);

    /** Writes the low 8 bits of {@code value}. */
    void write8(int offset, int value);

    /** Writes the low 16 bits of {@code value}. */
    void write16(int offset, int value);

    /** Writes 32 bits. */
    void write32(int offset, int value);

    /**
     * The first capability of a kind.
     *
     * @param id 0x05 MSI, 0x09 vendor specific, 0x10 PCI Express, 0x11 MSI-X, …
     * @return its offset; empty when there is none
     */
    default OptionalInt findCapability(int id) {
        return nextCapability(id, 0);
    }

    /**
     * The next capability of a kind.
     *
     * @param after the offset of the one before, 0 to begin
     */
    default OptionalInt nextCapability(int id, int after) {
        final int listed = 1 << 4;
        final int most = (256 - 64) / 4;
        if ((read16(STATUS) & listed) == 0) {
            return OptionalInt.empty();
        }
        int at = read8(after == 0 ? CAPABILITIES : after + 1) & ~3;
        // A broken device may link them in a ring: no more steps than there is room for.
        for (int hops = 0; at >= 64 && at < 256 && hops < most; hops++) {
            if (read8(at) == id) {
                return OptionalInt.of(at);
            }
            at = read8(at + 1) & ~3;
        }
        return OptionalInt.empty();
    }
}
