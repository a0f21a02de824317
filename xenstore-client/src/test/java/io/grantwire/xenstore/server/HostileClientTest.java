package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a client sends or leaves unread, the server answers or hangs up, and others go on. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileClientTest {
    @TempDir Path dir;

    private Path guestSocket;
    private XenstoreServer server;
    private RawClient dom0;

    @BeforeEach
    void start() throws IOException {
        Path socket = dir.resolve("s");
        guestSocket = dir.resolve("5");
        server = XenstoreServer.start(ServerOptions.at(socket));
        server.introduce(5, guestSocket);
        dom0 = new RawClient(socket);
        dom0.ask(XsType.MKDIR, "/local/domain/5");
        dom0.ask(XsType.SET_PERMS, "/local/domain/5", "n5");
    }

    @AfterEach
    void stop() throws IOException {
        // Whatever happened, domain 0 is still served.
        assertEquals("OK|", dom0.write("/alive", "yes"));
        assertEquals("OK|", dom0.ask(XsType.CONTROL, "check"));
        dom0.close();
        server.close();
    }

    private static byte[] header(int type, int length) {
        byte[] header = new byte[16];
        ByteBuffer.wrap(header)
                .order(ByteOrder.nativeOrder())
                .putInt(type)
                .putInt(1)
                .putInt(0)
                .putInt(length);
        return header;
    }

    @Test
    void aPayloadOverTheLimitEndsTheConnection() throws IOException {
        for (int length : new int[] {4097, 1 << 20, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
            try (RawClient guest = new RawClient(guestSocket)) {
                guest.send(header(XsType.READ.code(), length));
                assertTrue(guest.awaitHangUp(), "length " + length);
            }
        }
    }

    @Test
    void whatWasAskedBeforeTheNonsenseIsAnswered() throws IOException {
        try (RawClient guest = new RawClient(guestSocket)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.write(XsWire.encode(XsType.DIRECTORY, 9, 0, XsWire.join("/local/domain/5")));
            bytes.write(header(2, 5000));
            guest.send(bytes.toByteArray());
            assertEquals(9, guest.receive().reqId());
            assertThrows(EOFException.class, guest::receive);
        }
    }

    @Test
    void aPayloadOfExactlyTheLimitIsTaken() throws IOException {
        try (RawClient guest = new RawClient(guestSocket)) {
            guest.send(header(XsType.READ.code(), 4096));
            guest.send(new byte[4096]);
            assertTrue(guest.receive().is(XsType.ERROR));
        }
    }

    @Test
    void unknownTypesAreAnswered() throws IOException {
        try (RawClient guest = new RawClient(guestSocket)) {
            for (int type : new int[] {15, 16, 20, 27, 0xffff, -1, Integer.MIN_VALUE}) {
                guest.send(XsWire.encode(type, 3, 0, new byte[] {1, 2, 3}));
                XsMessage reply = guest.receive();
                assertTrue(reply.is(XsType.ERROR));
                assertEquals("ENOSYS\0", XsWire.text(reply.payload()));
            }
        }
    }

    @Test
    void framesMayComeInAnyPieces() throws IOException {
        byte[] frame = XsWire.encode(XsType.WRITE, 4, 0, XsWire.joinRaw("x", new byte[500]));
        try (RawClient guest = new RawClient(guestSocket)) {
            for (int cut = 1; cut < frame.length; cut += 37) {
                guest.send(Arrays.copyOf(frame, cut));
                dom0.ask(XsType.READ, "/"); // others are served meanwhile
                guest.send(Arrays.copyOfRange(frame, cut, frame.length));
                assertEquals("OK\0", XsWire.text(guest.receive().payload()));
            }
        }
    }

    @Test
    void partialFramesHoldNobodyUp() throws IOException {
        List<RawClient> hanging = new ArrayList<>();
        for (int i = 0; i < 15; i++) {
            RawClient client = new RawClient(guestSocket);
            client.send(Arrays.copyOf(header(2, 100), i + 1));
            hanging.add(client);
        }
        try (RawClient guest = new RawClient(guestSocket)) {
            assertEquals("OK|", guest.write("x", "1"));
        }
        for (RawClient client : hanging) {
            client.close();
        }
    }

    @Test
    void aClientThatOnlySendsGetsItsReplies() throws IOException {
        try (RawClient guest = new RawClient(guestSocket)) {
            for (int i = 0; i < 100; i++) {
                guest.send(XsWire.encode(XsType.DIRECTORY, i, 0, XsWire.join("/local/domain/5")));
            }
            guest.finishSending();
            for (int i = 0; i < 100; i++) {
                assertEquals(i, guest.receive().reqId());
            }
            assertThrows(EOFException.class, guest::receive);
        }
    }

    @Test
    void aClientThatDoesNotReadIsNotReadFrom() throws IOException {
        try (RawClient guest = new RawClient(guestSocket)) {
            guest.write("x", "v".repeat(1900));
            byte[] request = XsWire.encode(XsType.READ, 1, 0, XsWire.join("x"));
            byte[] many = new byte[request.length * 1000];
            for (int i = 0; i < 1000; i++) {
                System.arraycopy(request, 0, many, i * request.length, request.length);
            }
            // Every reply is about a hundred times its request: what is taken in before the socket
            // is full both ways is bounded by the kernel's buffers and the quota.
            long sent = 0;
            long idle = System.nanoTime();
            while (System.nanoTime() - idle < 300_000_000L && sent < 64L << 20) {
                int n = guest.sendWithoutWaiting(many);
                if (n > 0) {
                    sent += n;
                    idle = System.nanoTime();
                }
                dom0.ask(XsType.READ, "/");
            }
            assertTrue(sent < 4L << 20, sent + " bytes were taken");
        }
    }

    @Test
    void watchEventsThatAreNotReadAreDroppedAtSomePoint() throws IOException {
        try (RawClient guest = new RawClient(guestSocket)) {
            guest.ask(XsType.WATCH, "/local/domain/5", "w".repeat(1000));
            for (int i = 0; i < 5000; i++) {
                dom0.write("/local/domain/5/k" + i % 3000, "");
            }
            int events = 0;
            String last = "";
            // An own change: its event is the last, if it is told at all.
            guest.send(XsWire.encode(XsType.READ, 77, 0, XsWire.join("x")));
            for (XsMessage m = guest.receive(); m.is(XsType.WATCH_EVENT); m = guest.receive()) {
                events++;
                last = XsWire.text(m.payload());
            }
            assertTrue(events >= 1024 && events < 5000, events + " events, last " + last.length());
            assertEquals("OK|", guest.write("k0", "again"));
        }
    }

    @Test
    void aFloodIsServedInTurnWithOthers() throws Exception {
        int requests = 20_000;
        try (RawClient flood = new RawClient(guestSocket)) {
            byte[] request = XsWire.encode(XsType.WRITE, 1, 0, XsWire.joinRaw("x", new byte[100]));
            Thread sender =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    for (int i = 0; i < requests; i++) {
                                        flood.send(request);
                                    }
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            int[] answered = {0};
            Thread receiver =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    while (answered[0] < requests) {
                                        flood.receive();
                                        answered[0]++;
                                    }
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            int served = 0;
            while (receiver.isAlive()) {
                dom0.write("/turn", "x");
                served++;
            }
            sender.join();
            receiver.join();
            assertEquals(requests, answered[0]);
            assertTrue(served >= requests / 1000, served + " turns for domain 0");
        }
    }

    @Test
    void connectionsAreLimited() throws IOException {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            RawClient client = new RawClient(guestSocket);
            client.ask(XsType.READ, "x");
            clients.add(client);
        }
        try (RawClient over = new RawClient(guestSocket)) {
            assertTrue(over.awaitHangUp());
        }
        for (RawClient client : clients) {
            assertEquals("!ENOENT|", client.ask(XsType.READ, "x"));
            client.close();
        }
    }

    @Test
    void randomBytesEndInAnAnswerOrAHangUp() throws IOException {
        Random random = new Random(7);
        for (int i = 0; i < 300; i++) {
            try (RawClient guest = new RawClient(guestSocket)) {
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                if (noise.length >= 16 && random.nextInt(4) > 0) {
                    // Mostly a plausible header, so that more than the length check is met.
                    byte[] head = header(random.nextInt(28), noise.length - 16);
                    System.arraycopy(head, 0, noise, 0, 16);
                }
                guest.send(noise);
                guest.finishSending();
                assertTrue(guest.awaitHangUp());
            } catch (IOException e) {
                // Hung up on while sending: also an answer.
                assertTrue(e.getMessage() != null);
            }
        }
    }

    @Test
    void aClientThatVanishesInTheMiddleIsForgotten() throws IOException {
        for (int i = 0; i < 100; i++) {
            try (RawClient guest = new RawClient(guestSocket)) {
                guest.ask(XsType.TRANSACTION_START, "");
                guest.send(XsWire.encode(XsType.WATCH, 1, 0, XsWire.join("x", "t")));
                guest.send(Arrays.copyOf(header(11, 40), 20));
            }
        }
        // The connections go one by one as the server gets to them; then there is room again.
        while (true) {
            try (RawClient guest = new RawClient(guestSocket)) {
                if (guest.write("x", "1").equals("OK|")) {
                    return;
                }
            } catch (IOException e) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void aGuestThatKeepsWritingDoesNotKeepATransactionFromCommitting() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        try (RawClient guest = new RawClient(guestSocket)) {
            guest.write("x", "0");
            Thread writer =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    for (int i = 0; !stop.get(); i++) {
                                        guest.write("x", "" + i);
                                    }
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            String committed = "";
            while (!committed.equals("OK|")) {
                int tx = Integer.parseInt(dom0.ask(XsType.TRANSACTION_START, "").replace("|", ""));
                dom0.ask(tx, XsType.READ, XsWire.join("/local/domain/5/x"));
                dom0.ask(tx, XsType.WRITE, XsWire.joinRaw("/seen", new byte[1]));
                committed = dom0.ask(tx, XsType.TRANSACTION_END, XsWire.join("T"));
            }
            stop.set(true);
            writer.join();
        }
    }
}
