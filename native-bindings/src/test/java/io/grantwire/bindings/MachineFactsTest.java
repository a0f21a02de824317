package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link CpuAffinity}, {@link HugePages}, {@link Process} and {@link ResourceLimits}. */
class MachineFactsTest {
    @TempDir Path dir;

    private static <T> T onItsOwnThread(Supplier<T> body) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofPlatform()
                .start(() -> {
                    try {
                        result.complete(body.get());
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                });
        return result.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aPinnedThreadRunsOnItsCpuAndOthersStayFree() throws Exception {
        int[] allowed = CpuAffinity.allowed();
        assertEquals(allowed.length, CpuAffinity.available());
        int last = allowed[allowed.length - 1];
        int[] pinned =
                onItsOwnThread(() -> {
                    CpuAffinity.pinCurrentThread(last);
                    assertEquals(last, CpuAffinity.currentCpu());
                    return CpuAffinity.ofCurrentThread();
                });
        assertArrayEquals(new int[] {last}, pinned);
        assertArrayEquals(allowed, CpuAffinity.allowed());
        assertArrayEquals(allowed, onItsOwnThread(CpuAffinity::ofCurrentThread));
    }

    @Test
    void aCpuThatThisProcessDoesNotHaveIsRefusedWithThoseItHas() {
        NativeException e =
                assertThrows(NativeException.class, () -> CpuAffinity.pinCurrentThread(1000));
        assertEquals("EINVAL", e.errnoName());
        assertTrue(e.hint().contains("may use CPUs ["), e.hint());
        assertThrows(IllegalArgumentException.class, () -> CpuAffinity.pinCurrentThread(1 << 20));
        assertThrows(IllegalArgumentException.class, () -> CpuAffinity.pinCurrentThread(-1));
    }

    @Test
    void aVirtualThreadCannotBePinned() throws Exception {
        CompletableFuture<Void> result = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    assertThrows(
                            IllegalArgumentException.class, () -> CpuAffinity.pinCurrentThread(0));
                    result.complete(null);
                });
        result.get(30, TimeUnit.SECONDS);
    }

    @Test
    void hugePagePoolsAreReadFromSysfs() throws Exception {
        pool("hugepages-1048576kB", "0", "0");
        pool("hugepages-2048kB", "64", "17");
        assertEquals(
                List.of(new HugePages.Pool(2 << 20, 64, 17), new HugePages.Pool(1 << 30, 0, 0)),
                HugePages.pools(dir));
        assertEquals(List.of(), HugePages.pools(dir.resolve("absent")));
    }

    private void pool(String name, String total, String free) throws Exception {
        Path pool = Files.createDirectory(dir.resolve(name));
        Files.writeString(pool.resolve("nr_hugepages"), total + "\n");
        Files.writeString(pool.resolve("free_hugepages"), free + "\n");
    }

    @Test
    void thisProcessIsTheOneThatJavaKnows() throws Exception {
        assertEquals(ProcessHandle.current().pid(), Process.pid());
        int owner = (int) Files.getAttribute(Files.createFile(dir.resolve("mine")), "unix:uid");
        assertEquals(owner, Process.euid());
    }

    @Test
    void limitsAreThoseOfTheShell() throws Exception {
        java.lang.Process sh =
                new ProcessBuilder("sh", "-c", "grep 'locked memory' /proc/$PPID/limits").start();
        String line = new String(sh.getInputStream().readAllBytes());
        String soft = line.substring("Max locked memory".length()).strip().split(" +")[0];
        long expected = soft.equals("unlimited") ? ResourceLimits.UNLIMITED : Long.parseLong(soft);
        assertEquals(expected, ResourceLimits.memlock());
        assertTrue(ResourceLimits.openFiles() > 0);
    }
}
