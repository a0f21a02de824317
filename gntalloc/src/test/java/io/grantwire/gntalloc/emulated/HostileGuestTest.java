package io.grantwire.gntalloc.emulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.gntalloc.GrantMapException;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.gntalloc.Leaks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Guests that write what they like, into their grant table and to the hypervisor. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class HostileGuestTest {
    private static final int PAGE = GrantSharer.PAGE_SIZE;
    private static final Duration LONG = Duration.ofSeconds(30);

    private final EmulatedHostFixture host = new EmulatedHostFixture();
    private final HypervisorClient dom0 = host.connect(0);
    private final HypervisorClient hostile = host.connect(3);
    private final HypervisorClient honest = host.connect(4);
    private final MemorySegment table = hostile.table().mapping().segment();

    @AfterEach
    void nobodyElseIsHarmed() {
        assertTrue(host.hypervisor().running());
        try (GrantShare share = honest.sharer().share(0, 3, true)) {
            int[] grefs = {share.gref(0), share.gref(1), share.gref(2)};
            share.segment().set(ValueLayout.JAVA_INT, PAGE, 4711);
            try (GrantMapping mapping = dom0.mapper().map(4, grefs, true)) {
                assertEquals(4711, mapping.segment().get(ValueLayout.JAVA_INT, PAGE));
            }
        }
        assertEquals(0, dom0.usage().pagesMapped());
        assertEquals(0, dom0.mapper().mappedPages());
        host.close();
        assertEquals(Set.of(), Leaks.grantMappings());
    }

    private void write(int ref, int flags, int domid, int frame) {
        table.set(ValueLayout.JAVA_INT, ref * 8L + 4, frame);
        table.set(ValueLayout.JAVA_INT, ref * 8L, domid << 16 | flags);
    }

    private String refusal(int gref, boolean writable) {
        return assertThrows(
                        GrantMapException.class,
                        () -> dom0.mapper().map(3, new int[] {gref}, writable))
                .getMessage();
    }

    @Test
    void onlyPermittedEntriesAreMapped() {
        try (GrantShare share = hostile.sharer().share(0, 1, true)) {
            int ref = share.gref(0);
            int frame = GrantTableV1.readFrame(table, ref);
            for (int flags : new int[] {0, 2, 3, 0x18, 0x1E, 0xFFFE}) {
                write(ref, flags, 0, frame);
                assertTrue(refusal(ref, true).contains("not granted"), "flags " + flags);
            }
            write(ref, 1, 5, frame);
            assertTrue(refusal(ref, true).contains("granted to domain 5, not to domain 0"));
            write(ref, 1, 0xFFFF, frame);
            assertTrue(refusal(ref, true).contains("granted to domain 65535"));
            write(ref, 1 | 4, 0, frame);
            assertTrue(refusal(ref, true).contains("reading only"));
            dom0.mapper().map(3, new int[] {ref}, false).close();
            assertEquals(1 | 4, GrantTableV1.readWord(table, ref));
            // Bits the hypervisor owns, set by the guest: no reason to refuse, none to trust.
            write(ref, 1 | 8 | 16, 0, frame);
            dom0.mapper().map(3, new int[] {ref}, true).close();
            assertEquals(1, GrantTableV1.readWord(table, ref));
        }
    }

    @Test
    void framesThatAreNotTheGuestsAreNotMapped() {
        GrantShare foreign = honest.sharer().share(0, 4, true);
        GrantShare share = hostile.sharer().share(0, 2, true);
        int ref = share.gref(0);
        int first = GrantTableV1.readFrame(table, ref);
        for (int frame : new int[] {0, first - 1, first + 2, -1, Integer.MIN_VALUE, 0x7FFFFFFF}) {
            write(ref, 1, 0, frame);
            assertTrue(refusal(ref, true).contains("GNTST_bad_page"), "frame " + frame);
            assertEquals(1, GrantTableV1.readWord(table, ref), "no bit stays");
        }
        write(ref, 1, 0, first + 1);
        dom0.mapper().map(3, new int[] {ref}, true).close();
        share.close();
        write(ref, 1, 0, first + 1);
        assertTrue(refusal(ref, true).contains("GNTST_bad_page"));
        write(ref, 0, 0, 0);
        foreign.close();
    }

    @Test
    void whatIsMappedStaysWhatItIs() {
        try (GrantShare share = hostile.sharer().share(0, 2, true)) {
            int ref = share.gref(0);
            int frame = GrantTableV1.readFrame(table, ref);
            share.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
            share.segment().set(ValueLayout.JAVA_BYTE, PAGE, (byte) 2);
            try (GrantMapping first = dom0.mapper().map(3, new int[] {ref}, true)) {
                write(ref, 1, 0, frame + 1);
                try (GrantMapping second = dom0.mapper().map(3, new int[] {ref}, true)) {
                    assertEquals(1, first.segment().get(ValueLayout.JAVA_BYTE, 0));
                    assertEquals(1, second.segment().get(ValueLayout.JAVA_BYTE, 0));
                }
                write(ref, 0xFFFF, 0xFFFF, -1);
            }
            assertEquals(0xFFFF & ~24, GrantTableV1.readWord(table, ref) & 0xFFFF);
        }
        assertEquals(0, hostile.usage().pagesShared());
    }

    @Test
    void garbageInTheWholeTableIsRefusedOrHarmless() {
        Random random = new Random(1);
        byte[] garbage = new byte[2048 * 8];
        GrantShare share = hostile.sharer().share(0, 64, true);
        int mapped = 0;
        for (int round = 0; round < 20; round++) {
            random.nextBytes(garbage);
            MemorySegment.copy(garbage, 0, table, ValueLayout.JAVA_BYTE, 0, garbage.length);
            for (int i = 0; i < 300; i++) {
                // Make some of them nearly right.
                write(
                        random.nextInt(2048),
                        random.nextInt(8),
                        random.nextInt(2),
                        random.nextInt(70));
            }
            for (int ref = -3; ref < 2050; ref++) {
                try (GrantMapping mapping =
                        dom0.mapper().map(3, new int[] {ref}, random.nextBoolean())) {
                    mapped += mapping.pages();
                } catch (GrantMapException e) {
                    assertEquals(ref, e.gref());
                }
            }
        }
        assertTrue(mapped > 0, "some were right");
        table.asSlice(0, garbage.length).fill((byte) 0);
        share.close();
        assertEquals(0, hostile.usage().pagesShared());
    }

    @Test
    void entriesThatChangeWhileTheyAreMappedDoNoHarm() throws InterruptedException {
        GrantShare share = hostile.sharer().share(0, 64, true);
        int first = GrantTableV1.readFrame(table, share.gref(0));
        AtomicBoolean stop = new AtomicBoolean();
        Thread flipper =
                new Thread(() -> {
                    Random random = new Random(2);
                    while (!stop.get()) {
                        int ref = share.gref(random.nextInt(64));
                        write(ref, random.nextInt(32), 0, first + random.nextInt(70) - 3);
                    }
                });
        flipper.start();
        try {
            Random random = new Random(3);
            for (int i = 0; i < 3000; i++) {
                int[] grefs = new int[1 + random.nextInt(3)];
                for (int k = 0; k < grefs.length; k++) {
                    grefs[k] = share.gref(random.nextInt(64));
                }
                try (GrantMapping mapping = dom0.mapper().map(3, grefs, random.nextBoolean())) {
                    assertEquals(grefs.length, mapping.pages());
                    assertTrue(mapping.segment().get(ValueLayout.JAVA_BYTE, 0) == 0);
                } catch (GrantMapException e) {
                    // Refused at that moment.
                }
            }
        } finally {
            stop.set(true);
            flipper.join();
        }
        assertEquals(0, dom0.usage().pagesMapped());
        share.close();
        assertEquals(0, hostile.usage().pagesShared());
    }

    private UnixSocket raw() {
        return UnixSocket.connect(host.socket(), UnixSocket.Type.SEQPACKET);
    }

    private static void assertTurnedDown(UnixSocket socket, MemorySegment buffer) {
        while (true) {
            assertTrue(socket.fd().pollReadable(LONG), "no hang-up");
            try {
                int bytes = socket.receive(buffer, null);
                // A claim that is understood and refused leaves the connection for another try.
                if (bytes == 0 || bytes > 16 && buffer.get(ValueLayout.JAVA_INT, 8) > 0) {
                    return;
                }
            } catch (NativeException e) {
                return;
            }
        }
    }

    @Test
    void garbageMessagesEndTheConnectionThatSentThem() {
        Random random = new Random(4);
        int descriptors = Leaks.descriptors();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(100_000);
            for (int i = 0; i < 300; i++) {
                byte[] bytes = new byte[1 + random.nextInt(i % 10 == 0 ? 90_000 : 200)];
                random.nextBytes(bytes);
                MemorySegment message = buffer.asSlice(0, bytes.length);
                message.copyFrom(MemorySegment.ofArray(bytes));
                if (bytes.length >= 4 && random.nextBoolean()) {
                    message.set(ValueLayout.JAVA_INT, 0, random.nextInt(12));
                }
                try (UnixSocket socket = raw();
                        EventFd stowaway = EventFd.create()) {
                    socket.send(
                            message,
                            random.nextBoolean() ? new int[] {stowaway.fd().value()} : new int[0]);
                    assertTurnedDown(socket, buffer);
                }
            }
        }
        assertTrue(Leaks.descriptors() < descriptors + 20, "descriptors " + Leaks.descriptors());
    }

    @Test
    void garbageFromADomainEndsThatDomainLikeADeath() {
        try (GrantShare share = hostile.sharer().share(0, 1, true)) {
            share.segment().fill((byte) 9);
            share.clearByteOnUnmap(7);
            try (GrantMapping mapping = dom0.mapper().map(3, new int[] {share.gref(0)}, true)) {
                assertThrows(
                        NativeException.class,
                        () ->
                                hostile.link()
                                        .call(HypervisorWire.MAP, r -> r.put(0).put(0).put(-5)));
                assertEquals(0, mapping.segment().get(ValueLayout.JAVA_BYTE, 7));
                assertEquals(9, mapping.segment().get(ValueLayout.JAVA_BYTE, 8));
            }
        }
        NativeException gone =
                assertThrows(NativeException.class, () -> hostile.sharer().share(0, 1, true));
        assertEquals(LibC.ENOTCONN(), gone.errno());
        assertEquals(3, host.connect(3).domid());
    }

    @Test
    void everyRequestCutAtEveryLengthIsSurvived() {
        int[][] requests = {
            {HypervisorWire.EXTENT_CREATE, 1, 4},
            {HypervisorWire.EXTENT_END, 1, 1},
            {HypervisorWire.NOTIFY_ON_END, 1, 1, 0},
            {HypervisorWire.MAP, 1, 4, 1, 2, 8, 9},
            {HypervisorWire.UNMAP, 1, 1},
            {HypervisorWire.EVTCHN_ALLOC, 1, 0},
            {HypervisorWire.EVTCHN_BIND, 1, 0, 1},
            {HypervisorWire.EVTCHN_CLOSE, 1, 1},
            {HypervisorWire.USAGE, 1},
            {HypervisorWire.HELLO, 1, HypervisorWire.VERSION, 1000, 2, 0x6161},
            {99, 1}
        };
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(HypervisorWire.MAX_MESSAGE);
            for (int[] request : requests) {
                for (int length = 4; length <= request.length * 4 + 4; length++) {
                    try (UnixSocket socket = raw()) {
                        claim(socket, buffer, 900);
                        buffer.fill((byte) 0);
                        MemorySegment.copy(
                                request, 0, buffer, ValueLayout.JAVA_INT, 0, request.length);
                        socket.send(buffer.asSlice(0, length));
                        // An answer or the end of the connection, never silence.
                        assertTrue(socket.fd().pollReadable(LONG));
                    }
                }
            }
        }
    }

    private static void claim(UnixSocket socket, MemorySegment buffer, int domid) {
        Message hello = new Message(buffer).clear();
        hello.put(HypervisorWire.HELLO).put(1).put(HypervisorWire.VERSION).put(domid);
        socket.send(hello.putText("x", 8).written());
        assertTrue(socket.fd().pollReadable(LONG));
        assertTrue(socket.receive(buffer, null) > 16, "claimed");
        assertEquals(0, buffer.get(ValueLayout.JAVA_INT, 8), "status");
    }

    @Test
    void aClientThatDoesNotReadItsRepliesIsDisconnected() {
        try (Arena arena = Arena.ofConfined();
                UnixSocket socket = raw()) {
            MemorySegment buffer = arena.allocate(HypervisorWire.MAX_MESSAGE);
            claim(socket, buffer, 901);
            Message usage = new Message(buffer).clear().put(HypervisorWire.USAGE).put(7);
            MemorySegment request = usage.written();
            NativeException end =
                    assertThrows(
                            NativeException.class,
                            () -> {
                                for (int i = 0; i < 1_000_000; i++) {
                                    socket.send(request);
                                }
                            });
            assertTrue(
                    end.errno() == LibC.EPIPE() || end.errno() == LibC.ECONNRESET(),
                    end.getMessage());
        }
        assertEquals(901, host.connect(901).domid());
    }

    @Test
    void wrongNumbersForOnesOwnThingsAreRefusedOnly() {
        BrokerLink link = hostile.link();
        int[][] wrong = {
            {HypervisorWire.EXTENT_END, 12345},
            {HypervisorWire.NOTIFY_ON_END, 12345, 0},
            {HypervisorWire.UNMAP, -7},
            {HypervisorWire.EVTCHN_CLOSE, 0},
            {HypervisorWire.EVTCHN_ALLOC, -1},
            {HypervisorWire.EVTCHN_BIND, 0, -1},
            {HypervisorWire.EVTCHN_BIND, -1, 1}
        };
        for (int[] w : wrong) {
            assertThrows(
                    NativeException.class,
                    () ->
                            link.call(
                                    w[0],
                                    r -> {
                                        for (int i = 1; i < w.length; i++) {
                                            r.put(w[i]);
                                        }
                                    }),
                    HypervisorWire.nameOf(w[0]));
        }
        try (GrantShare share = hostile.sharer().share(0, 1, true)) {
            int theirs = ((EmulatedShare) share).extents().getFirst().id();
            for (int offset : new int[] {4096, Integer.MAX_VALUE, -2, Integer.MIN_VALUE}) {
                assertThrows(
                        NativeException.class,
                        () ->
                                link.call(
                                        HypervisorWire.NOTIFY_ON_END,
                                        r -> r.put(theirs).put(offset)));
            }
            // Another domain's share of the same number is out of reach.
            honest.sharer().share(0, 1, true);
            share.segment().fill((byte) 5);
        }
    }
}
