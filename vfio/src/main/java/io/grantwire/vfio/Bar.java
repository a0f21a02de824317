package io.grantwire.vfio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A memory BAR: device registers, little endian, mapped into this process. Any thread.
 *
 * <p>Every access is one load or store of the named width, which neither the compiler nor a copy
 * loop may repeat, merge or leave out. Writes are release: what was written to memory before is
 * there when the device sees the register change. The processor orders uncached accesses among
 * themselves. An offset outside the BAR is an {@link IndexOutOfBoundsException}.
 *
 * <p>Not final, so that tests can put a model of a device in its place.
 */
public class Bar {
    private static final VarHandle BYTE = handle(ValueLayout.JAVA_BYTE);
    private static final VarHandle SHORT = handle(ValueLayout.JAVA_SHORT);
    private static final VarHandle INT = handle(ValueLayout.JAVA_INT);
    private static final VarHandle LONG = handle(ValueLayout.JAVA_LONG);

    private final int index;
    private final MemorySegment registers;

    /**
     * @param index 0 to 5
     * @param registers the mapped registers, page aligned
     */
    public Bar(int index, MemorySegment registers) {
        this.index = index;
        this.registers = registers;
    }

    private static VarHandle handle(ValueLayout layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    }

    /** 0 to 5. */
    public int index() {
        return index;
    }

    /** Bytes that are mapped. */
    public long size() {
        return registers.byteSize();
    }

    /** Reads a register of 8 bits, 0 to 0xff. */
    public int read8(long offset) {
        return (byte) BYTE.getOpaque(registers, offset) & 0xff;
    }

    /** Reads a register of 16 bits, 0 to 0xffff. */
    public int read16(long offset) {
        return (short) SHORT.getOpaque(registers, offset) & 0xffff;
    }

    /** Reads a register of 32 bits. */
    public int read32(long offset) {
        return (int) INT.getOpaque(registers, offset);
    }

    /** Writes a register of 8 bits. */
    public void write8(long offset, int value) {
        BYTE.setRelease(registers, offset, (byte) value);
    }

    /** Writes a register of 16 bits. */
    public void write16(long offset, int value) {
        SHORT.setRelease(registers, offset, (short) value);
    }

    /** Writes a register of 32 bits. */
    public void write32(long offset, int value) {
        INT.setRelease(registers, offset, value);
    }

    /** Writes a register of 64 bits in one access; not every device takes that. */
    public void write64(long offset, long value) {
        LONG.setRelease(registers, offset, value);
    }

    /** The same registers from {@code offset} on, as a BAR of its own; for devices in parts. */
    public Bar slice(long offset, long size) {
        return new Bar(index, registers.asSlice(offset, size));
    }
}
