package io.grantwire.gntalloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The requests made of gntalloc, byte by byte as xen/gntalloc.h has them. */
class GntallocSharerTest {
    private static final long ALLOC = 0x00184705;
    private static final long DEALLOC = 0x00104706;
    private static final long NOTIFY = 0x00104707;

    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG;

    @TempDir Path directory;

    private long nextIndex;
    private int nextGref = 100;
    private int refuseAllocation = -1;
    private int refuseMmap = -1;
    private int allocations;
    private int mmaps;

    private final RecordingDevice device = new RecordingDevice(this::control, this::mmap);

    private long control(long request, MemorySegment a, List<String> log) {
        if (request == ALLOC) {
            int count = a.get(U32, 4);
            log.add(
                    "alloc domid "
                            + a.get(U16, 0)
                            + " flags "
                            + a.get(U16, 2)
                            + " count "
                            + count
                            + " size "
                            + a.byteSize());
            if (allocations++ == refuseAllocation) {
                throw RecordingDevice.failure(LibC.ENOSPC());
            }
            a.set(U64, 8, nextIndex);
            nextIndex += count * 4096L;
            for (int i = 0; i < count; i++) {
                a.set(U32, 16 + 4L * i, nextGref++);
            }
            return 0;
        }
        if (request == DEALLOC) {
            log.add("dealloc index " + a.get(U64, 0) + " count " + a.get(U32, 8));
            return 0;
        }
        assertEquals(NOTIFY, request);
        log.add(
                "notify index "
                        + a.get(U64, 0)
                        + " action "
                        + a.get(U32, 8)
                        + " port "
                        + a.get(U32, 12));
        return 0;
    }

    private void mmap(long offset, long length, int prot) {
        if (mmaps++ == refuseMmap) {
            throw RecordingDevice.failure(LibC.ENOMEM());
        }
    }

    private GntallocSharer sharer(String limit) {
        Path file = directory.resolve("limit");
        try {
            if (limit != null) {
                Files.writeString(file, limit);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new GntallocSharer(device, file);
    }

    @Test
    void onePageTakesTheStructureTheKernelCopiesInAnyCase() {
        GntallocSharer sharer = sharer("1024\n");
        GrantShare share = sharer.share(0, 1, true);
        assertEquals(
                List.of(
                        "reserve 4096",
                        "alloc domid 0 flags 1 count 1 size 24",
                        "mmap at 0 offset 0 length 4096 prot 3"),
                device.take());
        assertEquals(100, share.gref(0));
        share.close();
        share.close();
        assertEquals(List.of("munmap range", "dealloc index 0 count 1"), device.take());
        sharer.close();
        sharer.close();
        assertEquals(List.of("close"), device.take());
    }

    @Test
    void threePagesTakeOneReferenceMoreThanTheStructureHas() {
        sharer(null).share(7, 3, false);
        assertEquals("alloc domid 7 flags 0 count 3 size 28", device.take().get(1));
    }

    @Test
    void manyPagesAreAskedForInChunksAndMappedIntoOneRange() {
        GrantShare share = sharer("6000").share(0, 2500, true);
        assertEquals(
                List.of(
                        "reserve 10240000",
                        "alloc domid 0 flags 1 count 1024 size 4112",
                        "mmap at 0 offset 0 length 4194304 prot 3",
                        "alloc domid 0 flags 1 count 1024 size 4112",
                        "mmap at 4194304 offset 4194304 length 4194304 prot 3",
                        "alloc domid 0 flags 1 count 452 size 1824",
                        "mmap at 8388608 offset 8388608 length 1851392 prot 3"),
                device.take());
        assertEquals(2500, share.pages());
        assertEquals(
                IntStream.range(100, 2600).boxed().toList(),
                IntStream.range(0, 2500).mapToObj(share::gref).toList());
        share.close();
        assertEquals(
                List.of(
                        "munmap range",
                        "dealloc index 8388608 count 452",
                        "dealloc index 4194304 count 1024",
                        "dealloc index 0 count 1024"),
                device.take());
    }

    @Test
    void morePagesThanTheLimitAreRefusedBeforeAnythingIsAskedFor() {
        GntallocSharer sharer = sharer("1024\n");
        sharer.share(0, 24, true);
        device.take();
        NativeException e = assertThrows(NativeException.class, () -> sharer.share(0, 1001, true));
        assertEquals(LibC.ENOSPC(), e.errno());
        assertTrue(e.getMessage().contains("at most 1024 pages"), e.getMessage());
        assertTrue(e.getMessage().contains("this process has 24"), e.getMessage());
        assertTrue(
                e.getMessage().contains("/sys/module/xen_gntalloc/parameters/limit"),
                e.getMessage());
        assertTrue(e.getMessage().contains("modprobe xen-gntalloc limit=4096"), e.getMessage());
        assertEquals(List.of(), device.take());
        sharer.share(0, 1000, true);
    }

    @Test
    void whenTheKernelHasNoRoomNothingStaysGrantedAndTheHintNamesBothLimits() {
        GntallocSharer sharer = sharer("4000\n");
        refuseAllocation = 1;
        NativeException e = assertThrows(NativeException.class, () -> sharer.share(0, 2000, true));
        assertEquals(LibC.ENOSPC(), e.errno());
        assertTrue(
                e.getMessage().contains("/sys/module/xen_gntalloc/parameters/limit"),
                e.getMessage());
        assertTrue(e.getMessage().contains("max_grant_frames"), e.getMessage());
        assertEquals(
                List.of(
                        "reserve 8192000",
                        "alloc domid 0 flags 1 count 1024 size 4112",
                        "mmap at 0 offset 0 length 4194304 prot 3",
                        "alloc domid 0 flags 1 count 976 size 3920",
                        "munmap range",
                        "dealloc index 0 count 1024"),
                device.take());
        assertEquals(4000, sharer.available());
    }

    @Test
    void whenMappingFailsTheGrantsAreEnded() {
        refuseMmap = 0;
        NativeException e =
                assertThrows(NativeException.class, () -> sharer(null).share(0, 5, true));
        assertEquals(LibC.ENOMEM(), e.errno());
        List<String> log = device.take();
        assertEquals(
                List.of("munmap range", "dealloc index 0 count 5"), log.subList(3, log.size()));
    }

    @Test
    void theByteToClearIsNamedByItsPlaceInTheDevice() {
        GntallocSharer sharer = sharer(null);
        sharer.share(0, 10, true);
        GrantShare share = sharer.share(0, 1030, true);
        device.take();
        share.clearByteOnUnmap(5);
        share.clearByteOnUnmap(6);
        assertEquals(
                List.of(
                        "notify index " + (10 * 4096 + 5) + " action 1 port 0",
                        "notify index " + (10 * 4096 + 6) + " action 1 port 0"),
                device.take());
        // On another page the earlier one has to be cancelled.
        share.clearByteOnUnmap(1025 * 4096L + 9);
        assertEquals(
                List.of(
                        "notify index " + (1035 * 4096 + 9) + " action 1 port 0",
                        "notify index " + (10 * 4096 + 6) + " action 0 port 0"),
                device.take());
    }

    @Test
    void whatMayStillBeSharedFollowsTheModulesLimit() {
        GntallocSharer sharer = sharer("300\n");
        assertEquals(300, sharer.available());
        GrantShare share = sharer.share(0, 100, true);
        assertEquals(200, sharer.available());
        share.close();
        assertEquals(300, sharer.available());
        assertEquals(
                Integer.MAX_VALUE,
                new GntallocSharer(device, directory.resolve("absent")).available());
    }

    @Test
    void closingEndsSharesNewestFirstThenTheDevice() {
        GntallocSharer sharer = sharer(null);
        sharer.share(0, 1, true);
        sharer.share(0, 2, true);
        device.take();
        sharer.close();
        assertEquals(
                List.of(
                        "munmap range",
                        "dealloc index 4096 count 2",
                        "munmap range",
                        "dealloc index 0 count 1",
                        "close"),
                device.take());
        assertThrows(NativeException.class, () -> sharer.share(0, 1, true));
    }

    @Test
    void otherPageSizesAreRefusedInWords() {
        assertTrue(XenDeviceFile.wrongPageSize(4096).isEmpty());
        List<String> texts = new ArrayList<>();
        XenDeviceFile.wrongPageSize(65536).ifPresent(texts::add);
        assertTrue(texts.getFirst().contains("65536"), texts.toString());
    }
}
