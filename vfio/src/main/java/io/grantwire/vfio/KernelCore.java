package io.grantwire.vfio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The running kernel's memory by its own addresses, read from {@code /proc/kcore}, which is an ELF
 * core file whose program headers say what is where (elf(5); proc_kcore(5)). Any thread.
 */
final class KernelCore implements AutoCloseable {
    private static final int HEADER_BYTES = 64;
    private static final int PROGRAM_HEADER_BYTES = 56;
    private static final int MAGIC = 0x464c457f;
    private static final int CLASS_64 = 2;
    private static final int LITTLE_ENDIAN = 1;
    private static final int LOAD = 1;
    private static final int MOST_HEADERS = 4096;

    private final Path path;
    private final FileChannel file;
    private final List<Part> parts;

    /** Where a range of addresses is in the file. */
    private record Part(long address, long bytes, long offset) {
        boolean has(long at, int length) {
            return Long.compareUnsigned(at, address) >= 0
                    && Long.compareUnsigned(at - address, bytes) < 0
                    && length <= bytes - (at - address);
        }
    }

    private KernelCore(Path path, FileChannel file, List<Part> parts) {
        this.path = path;
        this.file = file;
        this.parts = parts;
    }

    /**
     * Opens a core file.
     *
     * @throws IOException when it cannot be read, or is something else
     */
    static KernelCore open(Path path) throws IOException {
        FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new KernelCore(path, file, parts(path, file));
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static List<Part> parts(Path path, FileChannel file) throws IOException {
        ByteBuffer header = read(path, file, 0, HEADER_BYTES);
        if (header.getInt(0) != MAGIC
                || header.get(4) != CLASS_64
                || header.get(5) != LITTLE_ENDIAN) {
            throw new IOException(path + " is not a 64-bit little-endian ELF file");
        }
        long at = header.getLong(32);
        int each = Short.toUnsignedInt(header.getShort(54));
        int count = Short.toUnsignedInt(header.getShort(56));
        if (at < HEADER_BYTES || each < PROGRAM_HEADER_BYTES || count > MOST_HEADERS) {
            throw new IOException(path + " has odd program headers");
        }
        List<Part> parts = new ArrayList<>();
        ByteBuffer all = read(path, file, at, each * count);
        for (int i = 0; i < count; i++) {
            int from = i * each;
            if (all.getInt(from) == LOAD) {
                long offset = all.getLong(from + 8);
                long bytes = all.getLong(from + 40);
                if (offset >= 0 && bytes > 0) {
                    parts.add(new Part(all.getLong(from + 16), bytes, offset));
                }
            }
        }
        return parts;
    }

    /**
     * Reads a word of 64 bits.
     *
     * @throws IOException when the file has nothing at that address
     */
    long readLong(long address) throws IOException {
        for (Part part : parts) {
            if (part.has(address, Long.BYTES)) {
                long at = part.offset() + (address - part.address());
                return read(path, file, at, Long.BYTES).getLong(0);
            }
        }
        throw new IOException(path + " has nothing at 0x" + Long.toHexString(address));
    }

    private static ByteBuffer read(Path path, FileChannel file, long at, int bytes)
            throws IOException {
        if (at < 0 || at > Long.MAX_VALUE - bytes) {
            throw new IOException(path + " leads to an offset that no file has");
        }
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            int got = file.read(buffer, at + buffer.position());
            if (got <= 0) {
                throw new IOException(path + " ends early");
            }
        }
        return buffer;
    }

    /**
     * The address of a kernel symbol.
     *
     * @param symbols {@code /proc/kallsyms}
     * @return empty when it is not there, or its address is hidden from us
     */
    static OptionalLong symbol(Path symbols, String name) throws IOException {
        try (Stream<String> lines = Files.lines(symbols)) {
            return lines.map(line -> line.split("\\s+"))
                    .filter(words -> words.length >= 3 && words[2].equals(name))
                    .mapToLong(words -> Long.parseUnsignedLong(words[0], 16))
                    .filter(address -> address != 0)
                    .findFirst();
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            // Read only: nothing is lost.
        }
    }
}
