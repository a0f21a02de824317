package io.grantwire.vfio;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/** A configuration space in a file: part of VFIO's device file, or sysfs's {@code config}. */
final class FdConfigSpace implements PciConfigSpace {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PciAddress address;
    private final Fd fd;
    private final long base;
    private final int size;

    /**
     * @param fd stays the caller's
     * @param base where it begins in the file
     * @param size its bytes
     */
    FdConfigSpace(PciAddress address, Fd fd, long base, int size) {
        this.address = address;
        this.fd = fd;
        this.base = base;
        this.size = size;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int read8(int offset) {
        return read(offset, Byte.BYTES) & 0xff;
    }

    @Override
    public int read16(int offset) {
        return read(offset, Short.BYTES) & 0xffff;
    }

    @Override
    public int read32(int offset) {
        return read(offset, Integer.BYTES);
    }

    @Override
    public void write8(int offset, int value) {
        write(offset, Byte.BYTES, value);
    }

    @Override
    public void write16(int offset, int value) {
        write(offset, Short.BYTES, value);
    }

    @Override
    public void write32(int offset, int value) {
        write(offset, Integer.BYTES, value);
    }

    private int read(int offset, int bytes) {
        check(offset, bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(INT);
            transferred("read", offset, bytes, fd.pread(word.asSlice(0, bytes), base + offset));
            return switch (bytes) {
                case Byte.BYTES -> word.get(ValueLayout.JAVA_BYTE, 0);
                case Short.BYTES -> word.get(SHORT, 0);
                default -> word.get(INT, 0);
            };
        } catch (NativeException e) {
            throw VfioErrors.of(address, e);
        }
    }

    private void write(int offset, int bytes, int value) {
        check(offset, bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(INT);
            // Little endian: the low bytes are the first.
            word.set(INT, 0, value);
            transferred("write", offset, bytes, fd.pwrite(word.asSlice(0, bytes), base + offset));
        } catch (NativeException e) {
            throw VfioErrors.of(address, e);
        }
    }

    private void check(int offset, int bytes) {
        Objects.checkFromIndexSize(offset, bytes, size);
        if (offset % bytes != 0) {
            throw new IllegalArgumentException("0x" + Integer.toHexString(offset) + ": unaligned");
        }
    }

    private void transferred(String what, int offset, int bytes, int done) {
        if (done != bytes) {
            throw new PciException(
                    "PCI device "
                            + address
                            + ": EIO ("
                            + what
                            + " of configuration space at 0x"
                            + Integer.toHexString(offset)
                            + ")");
        }
    }
}
