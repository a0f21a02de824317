package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * DMA memory in huge pages. What needs most of a page gets pages of its own; smaller pieces, such
 * as descriptor rings, share pages. Any thread.
 */
final class HugePageHeap {
    private final long pageBytes;
    private final LongFunction<Mapping> source;
    private final List<Shared> shared = new ArrayList<>();

    /**
     * @param pageBytes of a huge page
     * @param source gives as many bytes, in whole huge pages, zeroed
     */
    HugePageHeap(long pageBytes, LongFunction<Mapping> source) {
        this.pageBytes = pageBytes;
        this.source = source;
    }

    /** A huge page and what is free in it: where and how many bytes. */
    private static final class Shared {
        final Mapping memory;
        final Runs runs;
        final TreeMap<Long, Long> free = new TreeMap<>();

        Shared(Mapping memory, Runs runs) {
            this.memory = memory;
            this.runs = runs;
            free.put(0L, memory.length());
        }

        boolean isUnused() {
            return free.equals(Map.of(0L, memory.length()));
        }
    }

    /**
     * Takes zeroed memory.
     *
     * @param bytes whole small pages
     * @param where finds out where memory lies
     * @throws io.grantwire.bindings.NativeException {@code ENOMEM} with what to type
     */
    PhysicalMapping allocate(long bytes, Function<MemorySegment, Runs> where) {
        if (bytes > pageBytes / 2) {
            long rounded = Math.addExact(bytes, pageBytes - 1) & -pageBytes;
            Mapping memory = take(rounded);
            try {
                Runs runs = where.apply(memory.segment());
                return new PhysicalMapping(
                        memory.segment(), runs.shift(), runs.addresses(), memory::close);
            } catch (RuntimeException e) {
                memory.close();
                throw e;
            }
        }
        return piece(bytes, where);
    }

    private Mapping take(long bytes) {
        Mapping memory = source.apply(bytes);
        try {
            memory.excludeFromForks();
            memory.lock();
            return memory;
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    private synchronized PhysicalMapping piece(long bytes, Function<MemorySegment, Runs> where) {
        for (Shared page : shared) {
            for (Map.Entry<Long, Long> hole : page.free.entrySet()) {
                if (hole.getValue() >= bytes) {
                    return cut(page, hole.getKey(), hole.getValue(), bytes);
                }
            }
        }
        Mapping memory = take(pageBytes);
        Shared page;
        try {
            page = new Shared(memory, where.apply(memory.segment()));
            if (page.runs.addresses().length != 1) {
                throw new PciException("DMA memory: EIO (a huge page is not in one piece)");
            }
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
        shared.add(page);
        return cut(page, 0, pageBytes, bytes);
    }

    private PhysicalMapping cut(Shared page, long at, long hole, long bytes) {
        page.free.remove(at);
        if (hole > bytes) {
            page.free.put(at + bytes, hole - bytes);
        }
        MemorySegment segment = page.memory.segment().asSlice(at, bytes);
        segment.fill((byte) 0);
        long[] address = {page.runs.addresses()[0] + at};
        return new PhysicalMapping(
                segment, page.runs.shift(), address, () -> giveBack(page, at, bytes));
    }

    private synchronized void giveBack(Shared page, long at, long bytes) {
        long from = at;
        long length = bytes;
        Map.Entry<Long, Long> below = page.free.lowerEntry(at);
        if (below != null && below.getKey() + below.getValue() == at) {
            page.free.remove(below.getKey());
            from = below.getKey();
            length += below.getValue();
        }
        Long above = page.free.remove(at + bytes);
        if (above != null) {
            length += above;
        }
        page.free.put(from, length);
        if (page.isUnused()) {
            shared.remove(page);
            page.memory.close();
        }
    }
}
