package io.grantwire.gntalloc.emulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.Memfd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapException;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The emulated hypervisor's own rules: who may be what, how much of it, and when it ends. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class HypervisorTest {
    private static final int PAGE = GrantSharer.PAGE_SIZE;

    private static EmulatedHostFixture host(HypervisorOptions options) {
        return new EmulatedHostFixture(DomainHooks.NONE, options);
    }

    private static int[] grefs(GrantShare share) {
        return IntStream.range(0, share.pages()).map(share::gref).toArray();
    }

    private static NativeException assertErrno(int errno, Runnable call) {
        NativeException e = assertThrows(NativeException.class, call::run);
        assertEquals(errno, e.errno(), e.getMessage());
        return e;
    }

    @Test
    void aDomainSharesNoMorePagesThanAllowed() {
        try (EmulatedHostFixture host = host(HypervisorOptions.defaults().withPagesPerDomain(10))) {
            HypervisorClient dom0 = host.connect(0);
            HypervisorClient guest = host.connect(1);
            GrantShare six = guest.sharer().share(0, 6, true);
            assertEquals(4, guest.sharer().available());
            assertErrno(LibC.ENOSPC(), () -> guest.sharer().share(0, 5, true));
            assertEquals(4, guest.sharer().available());
            GrantMapping mapped = dom0.mapper().map(1, new int[] {six.gref(0)}, true);
            six.close();
            NativeException e = assertErrno(LibC.ENOSPC(), () -> guest.sharer().share(0, 10, true));
            assertTrue(e.getMessage().contains("larger limit"), e.getMessage());
            mapped.close();
            assertEquals(10, guest.sharer().available());
            guest.sharer().share(0, 10, true).close();
            // The limit is each domain's own.
            host.connect(2).sharer().share(0, 10, true).close();
        }
    }

    /** A process has 65 530 mappings, and a JVM that has none left dies. */
    @Test
    void aGuestThatScattersItsPagesDoesNotUseUpTheMappersAddressSpace() {
        try (EmulatedHostFixture host = host(HypervisorOptions.defaults())) {
            HypervisorClient dom0 = host.connect(0);
            GrantShare one = host.connect(1).sharer().share(0, 1, true);
            int[] scattered = new int[20_000];
            Arrays.fill(scattered, one.gref(0));
            GrantMapException e =
                    assertThrows(
                            GrantMapException.class, () -> dom0.mapper().map(1, scattered, true));
            assertTrue(e.getMessage().contains("too many pieces"), e.getMessage());
            assertEquals(0, dom0.mapper().mappedPages());
            // What is unmapped counts no more, and the bound is each domain's own.
            int[] most = Arrays.copyOf(scattered, EmulatedMapper.MAX_PIECES_OF_DOMAIN);
            dom0.mapper().map(1, most, true).close();
            GrantMapping all = dom0.mapper().map(1, most, true);
            assertThrows(
                    GrantMapException.class,
                    () -> dom0.mapper().map(1, new int[] {one.gref(0)}, true));
            GrantShare other = host.connect(2).sharer().share(0, 5, true);
            dom0.mapper().map(2, grefs(other), true).close();
            all.close();
            dom0.mapper().map(1, new int[] {one.gref(0)}, true).close();
        }
    }

    @Test
    void aDomainMapsNoMorePagesThanAllowed() {
        HypervisorOptions options = HypervisorOptions.defaults().withMappingsPerDomain(10);
        try (EmulatedHostFixture host = host(options)) {
            HypervisorClient dom0 = host.connect(0);
            GrantShare share = host.connect(1).sharer().share(0, 8, true);
            GrantMapping eight = dom0.mapper().map(1, grefs(share), true);
            GrantMapException e =
                    assertThrows(
                            GrantMapException.class,
                            () -> dom0.mapper().map(1, grefs(share), true));
            assertTrue(e.getMessage().contains("GNTST_no_device_space"), e.getMessage());
            eight.close();
            dom0.mapper().map(1, grefs(share), true).close();
        }
    }

    @Test
    void aGuestTakesNoMoreOfTheHostsDescriptorsThanAllowed() {
        HypervisorOptions options = HypervisorOptions.defaults().withDescriptorsPerDomain(6);
        try (EmulatedHostFixture host = host(options)) {
            HypervisorClient guest = host.connect(1);
            List<GrantShare> shares = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                shares.add(guest.sharer().share(0, 1, true));
            }
            NativeException e = assertErrno(LibC.ENOSPC(), () -> guest.sharer().share(0, 1, true));
            assertTrue(e.getMessage().contains("ulimit -n"), e.getMessage());
            assertErrno(LibC.ENOSPC(), () -> guest.events().bindUnbound(0));
            shares.forEach(GrantShare::close);
            for (int i = 0; i < 3; i++) {
                guest.events().bindUnbound(0);
            }
            assertErrno(LibC.ENOSPC(), () -> guest.events().bindUnbound(0));
            assertEquals(3, guest.usage().ports());
            guest.events().close();
            assertEquals(0, guest.usage().ports());
            guest.sharer().share(0, 1, true).close();
        }
    }

    @Test
    void aDomainHasNoMorePortsThanAllowed() {
        try (EmulatedHostFixture host = host(HypervisorOptions.defaults().withPortsPerDomain(2))) {
            EventChannel events = host.connect(1).events();
            int first = events.bindUnbound(0);
            events.bindUnbound(0);
            assertErrno(LibC.ENOSPC(), () -> events.bindUnbound(0));
            events.unbind(first);
            assertEquals(first, events.bindUnbound(0));
        }
    }

    @Test
    void connectionsBeyondTheLimitAreRefusedAndTheOthersServed() {
        try (EmulatedHostFixture host = host(HypervisorOptions.defaults().withConnections(3))) {
            HypervisorClient one = host.connect(1);
            host.connect(2);
            HypervisorClient three = host.connect(3);
            assertErrno(LibC.ENOTCONN(), () -> host.connect(4));
            three.close();
            // The hang-up may be seen a moment after the next connection.
            HypervisorClient four = null;
            for (int i = 0; i < 1000 && four == null; i++) {
                try {
                    four = host.connect(4);
                } catch (NativeException e) {
                    assertEquals(LibC.ENOTCONN(), e.errno());
                    Thread.yield();
                }
            }
            assertEquals(4, four.domid());
            one.sharer().share(0, 1, true).close();
        }
    }

    @Test
    void aConnectionThatClaimsNoDomainIsClosed(@TempDir Path directory) {
        Path path = directory.resolve("hypervisor.sock");
        try (Hypervisor hypervisor =
                        Hypervisor.start(
                                path,
                                DomainHooks.NONE,
                                HypervisorOptions.defaults(),
                                Duration.ofMillis(200));
                UnixSocket silent = UnixSocket.connect(path, UnixSocket.Type.SEQPACKET);
                HypervisorClient client = HypervisorClient.connect(path, 1, "patient")) {
            assertTrue(silent.fd().pollReadable(Duration.ofSeconds(30)));
            try (Arena arena = Arena.ofConfined()) {
                assertEquals(0, silent.receive(arena.allocate(64), null));
            }
            assertTrue(hypervisor.running());
            client.sharer().share(0, 1, true).close();
        }
    }

    @Test
    void domainIdsOutsideXensRangeAreRefused() {
        try (EmulatedHostFixture host = new EmulatedHostFixture()) {
            assertErrno(LibC.EINVAL(), () -> host.connect(0x7FF0));
            assertErrno(LibC.EINVAL(), () -> host.connect(-2));
            assertEquals(0x7FEF, host.connect(0x7FEF).domid());
        }
    }

    @Test
    void aHookMayRefuseADomain() {
        DomainHooks picky =
                new DomainHooks() {
                    @Override
                    public void onDomainCreated(int domid, String name, int pid) {
                        if (domid == 13) {
                            throw new IllegalStateException("no thirteenth domain for " + name);
                        }
                    }

                    @Override
                    public void onProcessGone(int domid) {
                        throw new IllegalStateException("never mind");
                    }
                };
        try (EmulatedHostFixture host =
                new EmulatedHostFixture(picky, HypervisorOptions.defaults())) {
            NativeException e = assertErrno(LibC.EIO(), () -> host.connect(13));
            assertTrue(e.getMessage().contains("no thirteenth domain"), e.getMessage());
            host.connect(14).close();
            assertEquals(14, host.connect(14).domid());
        }
    }

    @Test
    void oneHypervisorPerSocketAndADeadOnesSocketIsReplaced(@TempDir Path directory)
            throws Exception {
        Path socket = directory.resolve("hypervisor.sock");
        Hypervisor first = Hypervisor.start(socket, DomainHooks.NONE);
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
        assertErrno(LibC.EADDRINUSE(), () -> Hypervisor.start(socket, DomainHooks.NONE));
        assertTrue(first.running());
        first.close();
        first.close();
        assertFalse(first.running());
        assertFalse(Files.exists(socket));
        NativeException e =
                assertErrno(LibC.ENOENT(), () -> HypervisorClient.connect(socket, 1, "x"));
        assertTrue(e.getMessage().contains("no emulated host runs there"), e.getMessage());

        // What a killed one leaves: a socket that nobody listens on.
        UnixSocket.listen(socket, UnixSocket.Type.SEQPACKET, 1).close();
        assertTrue(Files.exists(socket));
        try (Hypervisor next = Hypervisor.start(socket, DomainHooks.NONE)) {
            assertEquals(socket, next.socket());
            HypervisorClient.connect(socket, 1, "x").close();
        }
    }

    @Test
    void whenTheHypervisorGoesMemoryStaysAndRequestsFailInWords() {
        EmulatedHostFixture host = new EmulatedHostFixture();
        HypervisorClient dom0 = host.connect(0);
        HypervisorClient guest = host.connect(1);
        GrantShare share = guest.sharer().share(0, 2, true);
        share.segment().fill((byte) 7);
        share.clearByteOnUnmap(1);
        GrantMapping mapping = dom0.mapper().map(1, grefs(share), true);
        host.hypervisor().close();
        assertEquals(7, mapping.segment().get(ValueLayout.JAVA_BYTE, 0));
        assertEquals(0, mapping.segment().get(ValueLayout.JAVA_BYTE, 1));
        NativeException e = assertErrno(LibC.ENOTCONN(), () -> guest.sharer().share(0, 1, true));
        assertTrue(e.getMessage().contains("emulated host is gone"), e.getMessage());
        assertErrno(LibC.ENOTCONN(), () -> dom0.mapper().map(1, new int[] {8}, true));
        assertErrno(LibC.ENOTCONN(), () -> guest.events().bindUnbound(0));
        mapping.close();
        share.close();
        host.close();
    }

    @Test
    void memoryIsSealedAndAReadersDescriptorIsForReading() {
        try (EmulatedHostFixture host = new EmulatedHostFixture()) {
            HypervisorClient dom0 = host.connect(0);
            GrantShare share = host.connect(1).sharer().share(0, 3, false);
            List<Fd> got = new ArrayList<>();
            int runs =
                    dom0.link()
                            .call(
                                    HypervisorWire.MAP,
                                    r -> {
                                        r.put(1).put(0).put(3);
                                        IntStream.of(grefs(share)).forEach(r::put);
                                    },
                                    (reply, descriptors) -> {
                                        got.addAll(descriptors);
                                        reply.get();
                                        assertEquals(3, reply.get());
                                        int n = reply.get();
                                        for (int i = 0; i < 3 * n; i++) {
                                            reply.get();
                                        }
                                        return n;
                                    });
            assertEquals(1, runs, "neighbours are one run");
            try (Fd memory = got.getFirst()) {
                assertEquals(Memfd.fixedSizeSeals(), Memfd.seals(memory));
                assertEquals(3L * PAGE, memory.size());
                assertErrno(
                        LibC.EACCES(),
                        () -> Mapping.shared(memory, 0, PAGE, Mapping.READ | Mapping.WRITE));
                Mapping.shared(memory, 0, PAGE, Mapping.READ).close();
            }
        }
    }

    @Test
    void pagesOfMoreSharesThanFitOneReplyMakeOneRange() {
        try (EmulatedHostFixture host = new EmulatedHostFixture()) {
            HypervisorClient dom0 = host.connect(0);
            GrantSharer sharer = host.connect(1).sharer();
            List<Integer> grefs = new ArrayList<>();
            for (int i = 0; i < 150; i++) {
                GrantShare share = sharer.share(0, 2, true);
                share.segment().set(ValueLayout.JAVA_INT, 0, 2 * i);
                share.segment().set(ValueLayout.JAVA_INT, PAGE, 2 * i + 1);
                grefs.add(share.gref(0));
                grefs.add(share.gref(1));
            }
            List<Integer> order = new ArrayList<>(IntStream.range(0, 300).boxed().toList());
            Collections.shuffle(order, new Random(5));
            int[] list = order.stream().mapToInt(grefs::get).toArray();
            try (GrantMapping mapping = dom0.mapper().map(1, list, true)) {
                for (int i = 0; i < 300; i++) {
                    assertEquals(
                            order.get(i),
                            mapping.segment().get(ValueLayout.JAVA_INT, (long) i * PAGE));
                }
                assertEquals(300, dom0.usage().pagesMapped());
            }
            list[299] = 7;
            assertThrows(GrantMapException.class, () -> dom0.mapper().map(1, list, true));
            assertEquals(0, dom0.usage().pagesMapped());
        }
    }

    @Test
    void thousandsOfPagesAreMappedQuickly() {
        HypervisorOptions options = HypervisorOptions.defaults();
        try (EmulatedHostFixture host = host(options)) {
            HypervisorClient dom0 = host.connect(0);
            HypervisorClient guest = host.connect(1);
            int pages = 32_768;
            long t0 = System.nanoTime();
            GrantShare share = guest.sharer().share(0, pages, true);
            long t1 = System.nanoTime();
            for (int i = 0; i < pages; i += 97) {
                share.segment().set(ValueLayout.JAVA_INT, (long) i * PAGE, i);
            }
            int[] list = grefs(share);
            long t2 = System.nanoTime();
            GrantMapping mapping = dom0.mapper().map(1, list, true);
            long t3 = System.nanoTime();
            for (int i = 0; i < pages; i += 97) {
                assertEquals(i, mapping.segment().get(ValueLayout.JAVA_INT, (long) i * PAGE));
            }
            mapping.close();
            share.close();
            System.out.printf(
                    "%d pages (128 MiB): shared in %d ms, mapped in %d ms%n",
                    pages, (t1 - t0) / 1_000_000, (t3 - t2) / 1_000_000);
            assertTrue(t3 - t2 < TimeUnit.SECONDS.toNanos(20));
            assertEquals(0, guest.usage().pagesShared());
        }
    }

    @Test
    void manyThreadsOfOneProcessShareAndMapAtOnce() throws Exception {
        try (EmulatedHostFixture host = new EmulatedHostFixture();
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            HypervisorClient dom0 = host.connect(0);
            HypervisorClient guest = host.connect(1);
            List<Future<?>> work = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int seed = t;
                work.add(
                        threads.submit(() -> {
                            for (int i = 0; i < 100; i++) {
                                shareMapAndClose(guest, dom0, seed, i);
                            }
                        }));
            }
            for (Future<?> each : work) {
                each.get();
            }
            assertEquals(0, guest.usage().pagesShared());
            assertEquals(0, dom0.usage().pagesMapped());
        }
    }

    private static void shareMapAndClose(
            HypervisorClient guest, HypervisorClient dom0, int seed, int i) {
        GrantShare share = guest.sharer().share(0, 1 + i % 7, true);
        share.segment().set(ValueLayout.JAVA_INT, 4, seed * 1000 + i);
        try (GrantMapping mapping = dom0.mapper().map(1, grefs(share), true)) {
            assertEquals(seed * 1000 + i, mapping.segment().get(ValueLayout.JAVA_INT, 4));
            if (i % 2 == 0) {
                share.close();
            }
            assertEquals(seed * 1000 + i, mapping.segment().get(ValueLayout.JAVA_INT, 4));
        }
        share.close();
    }

    @Test
    void eventsAreTheSameObjectUntilClosedAndMoreCanBeOpened() {
        try (EmulatedHostFixture host = new EmulatedHostFixture()) {
            HypervisorClient guest = host.connect(1);
            EventChannel events = guest.events();
            assertSame(events, guest.events());
            EventChannel second = guest.openEvents();
            int port = second.bindUnbound(0);
            assertErrno(LibC.ENOTCONN(), () -> events.notify(port));
            second.notify(port);
            events.close();
            assertFalse(events == guest.events());
            guest.close();
            assertErrno(LibC.ENOTCONN(), () -> second.notify(port));
        }
    }
}
