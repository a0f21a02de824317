package io.grantwire.gntalloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The requests made of gntdev, byte by byte as xen/gntdev.h has them. */
class GntdevMapperTest {
    private static final long MAP = 0x00184700;
    private static final long UNMAP = 0x00104701;
    private static final long SET_MAX = 0x00044703;

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG;

    private int limit = 65536;
    private int mapErrno;
    private int pagingFailures;
    private int mmapErrno;
    private final Set<Integer> bad = new HashSet<>();

    /** What is registered: index to references. */
    private final Map<Long, int[]> registered = new TreeMap<>();

    private final RecordingDevice device = new RecordingDevice(this::control, this::mmap);

    private long control(long request, MemorySegment a, List<String> log) {
        if (request == SET_MAX) {
            throw RecordingDevice.failure(LibC.ENOTTY());
        }
        if (request == MAP) {
            int count = a.get(U32, 0);
            assertEquals(16 + 8L * count, a.byteSize());
            int[] refs = new int[count];
            for (int i = 0; i < count; i++) {
                assertEquals(5, a.get(U32, 16 + 8L * i));
                refs[i] = a.get(U32, 20 + 8L * i);
            }
            log.add("map " + refs[0] + " and " + (count - 1) + " more");
            if (mapErrno != 0) {
                throw RecordingDevice.failure(mapErrno);
            }
            if (count > limit) {
                throw RecordingDevice.failure(LibC.EINVAL());
            }
            // Like the driver: the lowest gap.
            long index = 0;
            for (Map.Entry<Long, int[]> e : registered.entrySet()) {
                if (e.getKey() - index >= count * 4096L) {
                    break;
                }
                index = e.getKey() + e.getValue().length * 4096L;
            }
            registered.put(index, refs);
            a.set(U64, 8, index);
            return 0;
        }
        assertEquals(UNMAP, request);
        long index = a.get(U64, 0);
        log.add("unmap " + index + " count " + a.get(U32, 8));
        int[] refs = registered.remove(index);
        assertEquals(refs.length, a.get(U32, 8), "exactly what was mapped");
        return 0;
    }

    private void mmap(long offset, long length, int prot) {
        int[] refs = registered.get(offset);
        assertEquals(refs.length * 4096L, length, "exactly one request");
        if (pagingFailures > 0) {
            pagingFailures--;
            throw RecordingDevice.failure(LibC.EAGAIN());
        }
        if (mmapErrno != 0) {
            throw RecordingDevice.failure(mmapErrno);
        }
        if (IntStream.of(refs).anyMatch(bad::contains)) {
            throw RecordingDevice.failure(LibC.EINVAL());
        }
    }

    private static int[] refs(int from, int count) {
        return IntStream.range(from, from + count).toArray();
    }

    @Test
    void aListIsRegisteredThenMappedAndUndoneInThatOrderBackwards() {
        GntdevMapper mapper = new GntdevMapper(device);
        GrantMapping mapping = mapper.map(5, refs(8, 3), true);
        assertEquals(
                List.of(
                        "reserve 12288",
                        "map 8 and 2 more",
                        "mmap at 0 offset 0 length 12288 prot 3"),
                device.take());
        assertEquals(3, mapper.mappedPages());
        assertFalse(mapping.segment().isReadOnly());
        mapping.close();
        mapping.close();
        assertEquals(List.of("munmap range", "unmap 0 count 3"), device.take());
        assertEquals(0, mapper.mappedPages());
        mapper.close();
        mapper.close();
        assertEquals(List.of("close"), device.take());
    }

    @Test
    void forReadingTheMappingIsAskedReadOnly() {
        GrantMapping mapping = new GntdevMapper(device).map(5, refs(8, 1), false);
        assertEquals("mmap at 0 offset 0 length 4096 prot 1", device.take().getLast());
        assertTrue(mapping.segment().isReadOnly());
    }

    @Test
    void aLongListGoesInBatchesIntoOneRange() {
        GrantMapping mapping = new GntdevMapper(device).map(5, refs(8, 2100), true);
        assertEquals(
                List.of(
                        "reserve 8601600",
                        "map 8 and 1023 more",
                        "mmap at 0 offset 0 length 4194304 prot 3",
                        "map 1032 and 1023 more",
                        "mmap at 4194304 offset 4194304 length 4194304 prot 3",
                        "map 2056 and 51 more",
                        "mmap at 8388608 offset 8388608 length 212992 prot 3"),
                device.take());
        assertEquals(2100, mapping.pages());
        mapping.close();
        assertEquals(
                List.of(
                        "munmap range",
                        "unmap 8388608 count 52",
                        "unmap 4194304 count 1024",
                        "unmap 0 count 1024"),
                device.take());
    }

    @Test
    void aKernelThatTakesFewerAtOnceGetsFewerAndIsRemembered() {
        limit = 300;
        GntdevMapper mapper = new GntdevMapper(device);
        mapper.map(5, refs(8, 600), true);
        assertEquals(
                List.of(
                        "reserve 2457600",
                        "map 8 and 599 more",
                        "map 8 and 299 more",
                        "mmap at 0 offset 0 length 1228800 prot 3",
                        "map 308 and 299 more",
                        "mmap at 1228800 offset 1228800 length 1228800 prot 3"),
                device.take());
        mapper.map(5, refs(8, 301), true);
        assertEquals("map 8 and 299 more", device.take().get(1));
    }

    @Test
    void aRefusedGrantUndoesEverythingAndIsFound() {
        bad.add(1500);
        GntdevMapper mapper = new GntdevMapper(device);
        GrantMapException e =
                assertThrows(GrantMapException.class, () -> mapper.map(5, refs(8, 2000), true));
        assertEquals(1500, e.gref());
        assertEquals(5, e.domid());
        assertEquals(Map.of(), registered);
        assertEquals(0, mapper.mappedPages());
        List<String> log = device.take();
        assertEquals(
                List.of("munmap range", "unmap 4194304 count 976", "unmap 0 count 1024"),
                log.subList(5, 8));
        // Bisection: at most one try per halving, and one to be sure.
        assertTrue(log.size() <= 8 + 4 * 11, log.toString());
    }

    @Test
    void theFirstOfSeveralBadGrantsIsNamed() {
        bad.addAll(List.of(11, 14, 20));
        GrantMapException e =
                assertThrows(
                        GrantMapException.class,
                        () -> new GntdevMapper(device).map(5, refs(8, 30), true));
        assertEquals(11, e.gref());
        assertEquals(Map.of(), registered);
    }

    @Test
    void aGrantThatIsFineAtTheSecondLookIsNotBlamed() {
        int[] tries = {0};
        RecordingDevice fickle =
                new RecordingDevice(
                        this::control,
                        (offset, length, prot) -> {
                            if (tries[0]++ == 0) {
                                throw RecordingDevice.failure(LibC.EINVAL());
                            }
                        });
        GrantMapException e =
                assertThrows(
                        GrantMapException.class,
                        () -> new GntdevMapper(fickle).map(5, refs(8, 4), true));
        assertEquals(-1, e.gref());
        assertEquals(Map.of(), registered);
    }

    @Test
    void pagesBeingSwappedInAreWaitedFor() {
        pagingFailures = 3;
        GrantMapping mapping = new GntdevMapper(device).map(5, refs(8, 2), true);
        assertEquals(2, mapping.pages());
        assertEquals(4, device.take().stream().filter(l -> l.startsWith("mmap")).count());
    }

    @Test
    void aFullTableIsReportedWithTheParameterToRaise() {
        mapErrno = LibC.ENOMEM();
        NativeException e =
                assertThrows(
                        NativeException.class,
                        () -> new GntdevMapper(device).map(5, refs(8, 2), true));
        assertEquals(LibC.ENOMEM(), e.errno());
        assertTrue(e.getMessage().contains("modprobe xen-gntdev limit="), e.getMessage());
        assertEquals(List.of("reserve 8192", "map 8 and 1 more", "munmap range"), device.take());
    }

    @Test
    void aSystemThatCannotMapUndoesTheRegistration() {
        mmapErrno = LibC.ENOMEM();
        NativeException e =
                assertThrows(
                        NativeException.class,
                        () -> new GntdevMapper(device).map(5, refs(8, 2), true));
        assertEquals(LibC.ENOMEM(), e.errno());
        assertEquals(Map.of(), registered);
    }

    @Test
    void closingEndsMappingsNewestFirstThenTheDevice() {
        GntdevMapper mapper = new GntdevMapper(device);
        mapper.map(5, refs(8, 1), true);
        mapper.map(5, refs(9, 2), true);
        device.take();
        mapper.close();
        assertEquals(
                List.of(
                        "munmap range",
                        "unmap 4096 count 2",
                        "munmap range",
                        "unmap 0 count 1",
                        "close"),
                device.take());
        assertThrows(NativeException.class, () -> mapper.map(5, refs(8, 1), true));
    }
}
