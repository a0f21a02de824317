package io.grantwire.gntalloc.emulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapException;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.gntalloc.Leaks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Domains that are real processes, and die as such. */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class DomainProcessesIT {
    private static final int PAGE = GrantSharer.PAGE_SIZE;
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

    private final ConcurrentLinkedQueue<String> hooks = new ConcurrentLinkedQueue<>();
    private final EmulatedHostFixture host =
            new EmulatedHostFixture(new Recorder(), HypervisorOptions.defaults());

    private final class Recorder implements DomainHooks {
        @Override
        public void onDomainCreated(int domid, String name, int pid) {
            hooks.add("created " + domid + " " + name + " " + pid);
        }

        @Override
        public void onProcessGone(int domid) {
            hooks.add("gone " + domid);
        }
    }

    @AfterEach
    void closeHost() {
        host.close();
        assertEquals(Set.of(), Leaks.grantMappings());
    }

    private GuestProcess guest(int domid) {
        return host.own(new GuestProcess(host.socket(), domid));
    }

    private static byte get(MemorySegment memory, long at) {
        return (byte) BYTE.getAcquire(memory, at);
    }

    private static void await(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - start < LONG.toNanos(), what);
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    @Test
    void bytesGoBothWaysBetweenProcesses() {
        HypervisorClient dom0 = host.connect(0);
        GuestProcess guest = guest(7);
        GuestProcess.Shared shared = guest.share(0, 5, true);
        try (GrantMapping mapping = dom0.mapper().map(7, shared.grefs(), true)) {
            guest.tell("put", shared.id(), 4 * PAGE + 9, 42);
            assertEquals(42, get(mapping.segment(), 4 * PAGE + 9));
            mapping.segment().set(ValueLayout.JAVA_BYTE, PAGE, (byte) 17);
            assertEquals(17, guest.ask("get", shared.id(), PAGE));
        }
        assertEquals(
                List.of("created 7 child-7 " + guest.pid()), List.copyOf(hooks), "hooks so far");
    }

    @Test
    void aKilledSharersByteIsClearedAndItsPagesStay() {
        HypervisorClient dom0 = host.connect(0);
        GuestProcess guest = guest(7);
        GuestProcess.Shared shared = guest.share(0, 3, true);
        guest.tell("put", shared.id(), 100, 0x55);
        guest.tell("put", shared.id(), 2 * PAGE + 5, 77);
        guest.tell("clear", shared.id(), 100);
        try (GrantMapping mapping = dom0.mapper().map(7, shared.grefs(), true)) {
            assertEquals(0x55, get(mapping.segment(), 100));
            long start = System.nanoTime();
            guest.kill();
            await("the byte is cleared", () -> get(mapping.segment(), 100) == 0);
            System.out.printf(
                    "from the kill of a process to its byte cleared: %d us%n",
                    (System.nanoTime() - start) / 1000);
            assertEquals(77, get(mapping.segment(), 2 * PAGE + 5));
            mapping.segment().fill((byte) 1);
            await("the hook is told", () -> hooks.contains("gone 7"));
            GrantMapException e =
                    assertThrows(
                            GrantMapException.class,
                            () -> dom0.mapper().map(7, shared.grefs(), true));
            assertTrue(e.getMessage().contains("GNTST_bad_domain"), e.getMessage());

            // The next process of that domain starts afresh, at once.
            GuestProcess next = guest(7);
            GuestProcess.Shared again = next.share(0, 3, true);
            assertEquals(0, next.ask("get", again.id(), 2 * PAGE + 5));
            try (GrantMapping fresh = dom0.mapper().map(7, again.grefs(), true)) {
                next.tell("put", again.id(), 0, 33);
                assertEquals(33, get(fresh.segment(), 0));
                assertEquals(1, get(mapping.segment(), 0));
            }
        }
        assertEquals(0, dom0.usage().pagesMapped());
    }

    @Test
    void aKilledMappersPagesAreReleased() {
        HypervisorClient guest = host.connect(4);
        try (GrantShare share = guest.sharer().share(0, 2, true)) {
            GuestProcess mapper = guest(0);
            int id = mapper.ask("map", 4, "rw", share.gref(0) + "," + share.gref(1));
            mapper.tell("mput", id, PAGE + 1, 11);
            assertEquals(11, get(share.segment(), PAGE + 1));
            MemorySegment table = guest.table().mapping().segment();
            assertTrue(GrantTableV1.inUse(table, share.gref(0)));
            int word = GrantTableV1.readWord(table, share.gref(0));
            assertEquals(
                    GrantTableV1.PERMIT_ACCESS | GrantTableV1.READING | GrantTableV1.WRITING, word);
            mapper.kill();
            await("bits are cleared", () -> !GrantTableV1.inUse(table, share.gref(0)));
            await("bits are cleared", () -> !GrantTableV1.inUse(table, share.gref(1)));
            // Still granted: the next process of the peer may map it.
            assertEquals(GrantTableV1.PERMIT_ACCESS, GrantTableV1.readWord(table, share.gref(0)));
        }
        assertEquals(0, guest.usage().pagesShared());
    }

    @Test
    void referencesOfPagesStillMappedAreNotUsedAgainUntilTheMapperLetsGo() {
        HypervisorClient guest = host.connect(4);
        GrantShare share = guest.sharer().share(0, 2, true);
        int[] grefs = {share.gref(0), share.gref(1)};
        GuestProcess mapper = guest(0);
        int id = mapper.ask("map", 4, "rw", grefs[1]);
        mapper.tell("mput", id, 0, 9);
        share.close();
        assertEquals(9, mapper.ask("mget", id, 0));
        assertEquals(1, guest.table().stillMapped());
        try (GrantShare next = guest.sharer().share(0, 2, true)) {
            assertEquals(grefs[0], next.gref(0));
            assertTrue(next.gref(1) != grefs[1]);
            assertEquals(4, guest.usage().pagesShared(), "ended pages count while mapped");
            mapper.kill();
            await("it is free again", () -> guest.table().stillMapped() == 0);
            assertEquals(2, guest.usage().pagesShared());
        }
    }

    @Test
    void aSecondProcessOfAGuestIsRefusedAndToldWhoTheFirstIs() {
        GuestProcess first = guest(9);
        NativeException e = assertThrows(NativeException.class, () -> host.connect(9));
        assertEquals(LibC.EBUSY(), e.errno());
        assertTrue(e.getMessage().contains("process " + first.pid()), e.getMessage());
        IllegalStateException child = assertThrows(IllegalStateException.class, () -> guest(9));
        assertTrue(child.getMessage().contains("EBUSY"), child.getMessage());
        first.kill();
        assertEquals(9, host.connect(9).domid());
    }

    @Test
    void anyFreeDomainIsTheLowestOne() {
        host.connect(2);
        assertEquals(1, guest(-1).domid());
        assertEquals(3, guest(-1).domid());
        assertEquals(4, host.connect(HypervisorClient.ANY_DOMID).domid());
    }

    @Test
    void severalProcessesAreDomainZeroAtOnceAndGrantApart() {
        HypervisorClient here = host.connect(0);
        GuestProcess there = guest(0);
        HypervisorClient guest = host.connect(5);
        GuestProcess.Shared theirs = there.share(5, 40, true);
        try (GrantShare ours = here.sharer().share(5, 40, true)) {
            Set<Integer> all = new HashSet<>();
            for (int i = 0; i < 40; i++) {
                all.add(ours.gref(i));
                all.add(theirs.grefs()[i]);
            }
            assertEquals(80, all.size());
            there.tell("put", theirs.id(), 0, 1);
            ours.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 2);
            int[] both = {theirs.grefs()[0], ours.gref(0)};
            try (GrantMapping mapping = guest.mapper().map(0, both, true)) {
                assertEquals(1, get(mapping.segment(), 0));
                assertEquals(2, get(mapping.segment(), PAGE));
                there.kill();
                await("theirs are gone", () -> here.usage().pagesShared() <= 80);
                assertEquals(1, get(mapping.segment(), 0));
            }
            assertThrows(
                    GrantMapException.class, () -> guest.mapper().map(0, theirs.grefs(), true));
            guest.mapper().map(0, new int[] {ours.gref(3)}, true).close();
        }
    }

    @Test
    void eventsReachAnotherProcessAndAnotherAfterIt() {
        EventChannel events = host.connect(0).events();
        GuestProcess guest = guest(7);
        int offered = events.bindUnbound(7);
        int bound = guest.ask("bind", 0, offered);
        assertEquals(bound, guest.ask("await", 20_000));
        guest.tell("unmask", bound);
        events.notify(offered);
        assertEquals(bound, guest.ask("await", 20_000));
        guest.tell("notify", bound);
        assertEquals(offered, events.await(LONG));
        events.unmask(offered);
        guest.kill();
        // Nobody listens, and nothing breaks.
        events.notify(offered);
        GuestProcess next = guest(7);
        int again = next.ask("bind", 0, offered);
        assertEquals(again, next.ask("await", 20_000));
        next.tell("unmask", again);
        events.notify(offered);
        assertEquals(again, next.ask("await", 20_000));
    }

    @Test
    void roundTripsBetweenProcessesLoseNothing() {
        EventChannel events = host.connect(0).events();
        GuestProcess guest = guest(7);
        int port = events.bindUnbound(7);
        int bound = guest.ask("bind", 0, port);
        guest.ask("await", 20_000);
        guest.tell("unmask", bound);
        guest.send("echo", 2000);
        int rounds = 5000;
        long start = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
            events.notify(port);
            assertEquals(port, events.await(LONG), "round " + i);
            events.unmask(port);
        }
        System.out.printf(
                "event round trip between two processes: %.1f us%n",
                (System.nanoTime() - start) / 1e3 / rounds);
        assertEquals("done", guest.answer());
    }

    @Test
    void processesKilledInTheMiddleOfEverythingLeaveNothingBehind() {
        HypervisorClient dom0 = host.connect(0);
        dom0.sharer().share(0, 1, true).close();
        int descriptors = Leaks.descriptors();
        for (int round = 0; round < 3; round++) {
            GuestProcess guest = guest(6);
            assertEquals("churning", guest.tell("churn", 0));
            GrantMapping caught = null;
            for (int i = 0; i < 2000 && caught == null; i++) {
                try {
                    caught = dom0.mapper().map(6, new int[] {8 + i % 64}, true);
                } catch (GrantMapException e) {
                    // Not granted at this moment.
                }
            }
            guest.kill();
            guest.close();
            await("gone", () -> hooks.remove("gone 6"));
            if (caught != null) {
                caught.segment().fill((byte) 3);
                caught.close();
            }
        }
        assertEquals(0, dom0.usage().pagesMapped());
        assertEquals(0, host.connect(6).usage().pagesShared());
        assertFalse(Leaks.descriptors() > descriptors + 20, "descriptors " + Leaks.descriptors());
    }
}
