package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
    private final Outbox outbox = new Outbox(2, 3);

    private static byte[] event(String path) {
        return XsWire.join(path, "t");
    }

    private List<String> drain(int chunk) {
        ByteBuffer all = ByteBuffer.allocate(1 << 16);
        while (!outbox.isEmpty()) {
            ByteBuffer some = ByteBuffer.allocate(chunk);
            outbox.fill(some);
            some.flip();
            all.put(some.duplicate());
            outbox.sent(some.remaining());
        }
        all.flip();
        List<String> messages = new ArrayList<>();
        for (XsMessage m = XsWire.decode(all); m != null; m = XsWire.decode(all)) {
            messages.add(XsType.nameOf(m.type()) + " " + XsWire.text(m.payload()).trim());
        }
        assertFalse(all.hasRemaining());
        return messages;
    }

    @Test
    void keepsTheOrderOverAnyChunks() {
        for (int chunk : new int[] {1, 7, 16, 17, 4096}) {
            outbox.reply(XsType.READ.code(), 1, 0, new byte[] {'a'});
            outbox.event(event("/x"), false);
            outbox.reply(XsType.READ.code(), 2, 0, new byte[] {'b'});
            assertEquals(List.of("READ a", "WATCH_EVENT /x\0t", "READ b"), drain(chunk));
            assertEquals(0, outbox.replies());
            assertEquals(0, outbox.events());
        }
    }

    @Test
    void isFullFromTheLimitOfRepliesOn() {
        outbox.reply(2, 1, 0, new byte[0]);
        assertFalse(outbox.full());
        outbox.reply(2, 2, 0, new byte[0]);
        assertTrue(outbox.full());
        outbox.sent(16);
        assertFalse(outbox.full());
    }

    @Test
    void anEventThatWaitsIsNotQueuedAgain() {
        assertEquals(Outbox.Taken.QUEUED, outbox.event(event("/x"), false));
        assertEquals(Outbox.Taken.ALREADY_WAITING, outbox.event(event("/x"), false));
        assertEquals(Outbox.Taken.QUEUED, outbox.event(event("/y"), false));
        assertEquals(List.of("WATCH_EVENT /x\0t", "WATCH_EVENT /y\0t"), drain(100));
        assertEquals(Outbox.Taken.QUEUED, outbox.event(event("/x"), false));
    }

    @Test
    void anEventCountsAsWaitingUntilItsLastByteIsSent() {
        outbox.event(event("/x"), false);
        outbox.sent(20);
        assertEquals(Outbox.Taken.ALREADY_WAITING, outbox.event(event("/x"), false));
        outbox.sent(1);
        assertEquals(Outbox.Taken.QUEUED, outbox.event(event("/x"), false));
    }

    @Test
    void everySpecialEventCounts() {
        assertEquals(Outbox.Taken.QUEUED, outbox.event(event("@releaseDomain"), true));
        assertEquals(Outbox.Taken.QUEUED, outbox.event(event("@releaseDomain"), true));
    }

    @Test
    void eventsAreLimited() {
        for (String path : List.of("/a", "/b", "/c")) {
            assertEquals(Outbox.Taken.QUEUED, outbox.event(event(path), false));
        }
        assertEquals(Outbox.Taken.REFUSED, outbox.event(event("/d"), false));
        assertEquals(Outbox.Taken.ALREADY_WAITING, outbox.event(event("/a"), false));
        assertFalse(outbox.full());
    }

    @Test
    void aResetKeepsWhatIsHalfSent() {
        outbox.reply(2, 1, 0, new byte[] {'a'});
        outbox.event(event("/x"), false);
        outbox.sent(3);
        outbox.reset();
        assertEquals(1, outbox.replies());
        assertEquals(0, outbox.events());
        outbox.sent(14);
        assertTrue(outbox.isEmpty());
        outbox.reset();
        assertTrue(outbox.isEmpty());
    }
}
