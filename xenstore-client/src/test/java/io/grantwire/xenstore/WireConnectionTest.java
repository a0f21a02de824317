package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.testing.Fixture;
import io.grantwire.xenstore.testing.ScriptedStore;
import io.grantwire.xenstore.testing.ScriptedStore.Script;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The wire client against stores that reply late, wrongly, or not at all. */
@Timeout(60)
class WireConnectionTest {
    private ScriptedStore server;
    private Xenstore store;

    private Xenstore connect(Script script) {
        return connect(script, Xenstores.DEFAULT_TIMEOUT);
    }

    private Xenstore connect(Script script, Duration timeout) {
        server = new ScriptedStore(script);
        store = Xenstores.open(Xenstores.Options.socket(server.socket()).withTimeout(timeout));
        return store;
    }

    @AfterEach
    void close() {
        if (store != null) {
            store.close();
        }
        if (server != null) {
            server.close();
        }
    }

    @Test
    void repliesFindTheirRequestsInAnyOrder() throws Exception {
        List<XsMessage> held = new ArrayList<>();
        connect((request, client) -> {
            held.add(request);
            if (held.size() == 3) {
                for (XsMessage r : held.reversed()) {
                    client.reply(r, XsWire.bytes("value of " + XsWire.first(r.payload())));
                }
            }
        });
        List<CompletableFuture<String>> replies = new ArrayList<>();
        for (String path : List.of("/a", "/b", "/c")) {
            replies.add(CompletableFuture.supplyAsync(() -> store.readString(path), this::start));
        }
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    "value of /" + (char) ('a' + i),
                    replies.get(i).get(Fixture.SOON.toSeconds(), TimeUnit.SECONDS));
        }
    }

    @Test
    void replyMayArriveInPieces() {
        connect((request, client) -> {
            byte[] reply = XsWire.encode(request.type(), request.reqId(), 0, XsWire.bytes("hello"));
            for (byte b : reply) {
                client.send(new byte[] {b});
            }
        });
        assertEquals("hello", store.readString("/a"));
    }

    @Test
    void storeThatDoesNotAnswerIsGivenUp() {
        connect(ScriptedStore.SILENCE, Duration.ofMillis(200));
        XenstoreException e = failure("ETIMEDOUT", () -> store.read("/a"));
        assertTrue(e.getMessage().contains("no reply to READ within"), e.getMessage());
        failure("ETIMEDOUT", () -> store.read("/b"));
    }

    @Test
    void closingWakesCallersThatWait() throws Exception {
        connect(ScriptedStore.SILENCE);
        CompletableFuture<XenstoreException> waiting = failureOf(() -> store.read("/a"));
        awaitRequests(1);
        store.close();
        XenstoreException e = waiting.get(Fixture.SOON.toSeconds(), TimeUnit.SECONDS);
        assertEquals("EBADF", e.errnoName());
        assertTrue(e.getMessage().endsWith("this connection was closed"), e.getMessage());
    }

    @Test
    void interruptedCallerStillGetsItsReply() throws Exception {
        connect((request, client) -> {
            if (server.requests().size() == 2) {
                client.reply(server.requests().getFirst(), XsWire.bytes("late"));
                client.reply(request, XsWire.bytes("there"));
            }
        });
        CompletableFuture<Boolean> kept = new CompletableFuture<>();
        CompletableFuture<String> value = new CompletableFuture<>();
        Thread caller =
                Thread.ofPlatform()
                        .start(() -> {
                            value.complete(store.readString("/a"));
                            kept.complete(Thread.currentThread().isInterrupted());
                        });
        awaitRequests(1);
        caller.interrupt();
        assertEquals("there", store.readString("/go"));
        assertEquals("late", value.get(Fixture.SOON.toSeconds(), TimeUnit.SECONDS));
        assertTrue(kept.get(Fixture.SOON.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void headerOverTheLimitEndsTheConnection() {
        ByteBuffer header = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
        header.putInt(2).putInt(1).putInt(0).putInt(4097);
        assertGivenUp((_, client) -> client.send(header.array()), "4097 bytes of payload");
    }

    @Test
    void replyToNoRequestEndsTheConnection() {
        assertGivenUp(
                (request, client) ->
                        client.send(
                                XsWire.encode(XsType.READ, request.reqId() + 1, 0, new byte[0])),
                "a reply to no request");
    }

    @Test
    void replyOfAnotherTypeEndsTheConnection() {
        assertGivenUp(
                (request, client) ->
                        client.send(XsWire.encode(XsType.WRITE, request.reqId(), 0, new byte[0])),
                "of another type");
    }

    @Test
    void eventWithoutTokenEndsTheConnection() {
        assertGivenUp((_, client) -> client.event("/only"), "a watch event has no token");
        assertGivenUp(
                (_, client) ->
                        client.send(XsWire.encode(XsType.WATCH_EVENT, 0, 0, new byte[] {'x'})),
                "has no NUL");
    }

    private void assertGivenUp(Script script, String why) {
        connect(script);
        XenstoreException e = failure("EPROTO", () -> store.read("/a"));
        assertTrue(e.getMessage().contains("connection given up: "), e.getMessage());
        assertTrue(e.getMessage().contains(why), e.getMessage());
        failure("EPROTO", () -> store.read("/b"));
        close();
    }

    @Test
    void malformedPayloadSpoilsOnlyItsRequest() {
        connect((request, client) -> {
            switch (XsType.of(request.type())) {
                case GET_PERMS -> client.reply(request, XsWire.join("q99999999"));
                case DIRECTORY -> client.reply(request, XsWire.bytes("no-nul"));
                case GET_DOMAIN_PATH -> client.reply(request, new byte[0]);
                case TRANSACTION_START -> client.reply(request, XsWire.join("0"));
                default -> client.reply(request, XsWire.bytes("fine"));
            }
        });
        failure("EPROTO", () -> store.permissions("/a"));
        failure("EPROTO", () -> store.directory("/a"));
        failure("EPROTO", () -> store.domainPath(1));
        failure("EPROTO", () -> store.transaction(t -> 1));
        assertEquals("fine", store.readString("/a"));
    }

    @Test
    void errorsKeepTheStoresName() {
        connect((request, client) -> client.error(request, XsWire.first(request.payload())));
        failure("EISDIR", () -> store.read("EISDIR"));
        failure("EDQUOT", () -> store.read("EQUOTA"));
        XenstoreException e = failure("EINVAL", () -> store.read("ESOMETHING"));
        assertTrue(e.getMessage().endsWith("the store's own word is ESOMETHING"), e.getMessage());
    }

    @Test
    void directoryIsReadAgainWhenItChangesBetweenTwoParts() {
        int[] parts = {0};
        connect((request, client) -> {
            if (request.is(XsType.DIRECTORY)) {
                client.error(request, "E2BIG");
                return;
            }
            List<String> asked = XsWire.split(request.payload());
            String offset = asked.get(1);
            switch (++parts[0]) {
                case 1 -> client.reply(request, XsWire.join("7", "old", "names"));
                case 2 -> client.reply(request, XsWire.join("8", "else"));
                case 3 -> {
                    assertEquals("0", offset);
                    client.reply(request, XsWire.join("8", "a", "b"));
                }
                default -> {
                    assertEquals("4", offset);
                    client.reply(request, XsWire.join("8", "c", ""));
                }
            }
        });
        assertEquals(List.of("a", "b", "c"), store.directory("/a"));
    }

    @Test
    void partsThatNeverEndAreRefused() {
        connect((request, client) -> {
            String path = XsWire.first(request.payload());
            if (request.is(XsType.DIRECTORY)) {
                client.error(request, "E2BIG");
            } else if (path.equals("/changing")) {
                client.reply(request, XsWire.join("" + server.requests().size(), "name"));
            } else if (path.equals("/empty")) {
                client.reply(request, XsWire.join("1"));
            } else if (path.equals("/endless")) {
                client.reply(request, XsWire.join("1", "x".repeat(4000)));
            } else {
                client.error(request, "ENOSYS");
            }
        });
        failure("EAGAIN", () -> store.directory("/changing"));
        failure("EPROTO", () -> store.directory("/empty"));
        failure("EPROTO", () -> store.directory("/endless"));
        XenstoreException e = failure("E2BIG", () -> store.directory("/old-store"));
        assertTrue(e.getMessage().contains("longer than one message"), e.getMessage());
    }

    @Test
    void floodOfEventsIsBoundedAndEndsInTheWatchedPath() throws Exception {
        int flood = 3 * XsWatch.LIMIT;
        connect((request, client) -> {
            if (request.is(XsType.WATCH)) {
                String token = XsWire.split(request.payload()).get(1);
                for (int i = 0; i < flood; i++) {
                    client.event("/w/" + i, token);
                }
                client.event("/w/for-nobody", "other");
                client.ok(request);
            } else {
                client.ok(request);
            }
        });
        XenstoreWatch watch = store.watch("/w", "t");
        store.read("/barrier");
        List<String> paths = new ArrayList<>();
        for (XenstoreWatch.Event e = watch.poll(); e != null; e = watch.poll()) {
            paths.add(e.path());
        }
        assertTrue(paths.size() <= XsWatch.LIMIT, paths.size() + " events");
        assertEquals("/w", paths.getFirst());
        assertEquals("/w/" + (flood - 1), paths.getLast());
    }

    @Test
    void watchThatTheStoreRefusesLeavesNothingBehind() {
        connect((request, client) -> client.error(request, "EEXIST"));
        failure("EEXIST", () -> store.watch("/w", "t"));
        failure("EEXIST", () -> store.watch("/w", "t"));
    }

    @Test
    void absentSocketIsExplained() {
        XenstoreException e =
                assertThrows(
                        XenstoreException.class,
                        () -> Xenstores.socket(java.nio.file.Path.of("/nonexistent/socket")));
        assertEquals(
                "xenstore open /nonexistent/socket: ENOENT (No such file or directory); no store"
                        + " listens there; start xenstored or the emulated host first",
                e.getMessage());
    }

    private CompletableFuture<XenstoreException> failureOf(Runnable action) {
        return CompletableFuture.supplyAsync(
                () -> assertThrows(XenstoreException.class, action::run), this::start);
    }

    private void start(Runnable action) {
        Thread.ofPlatform().daemon().start(action);
    }

    private void awaitRequests(int count) throws InterruptedException {
        long end = System.nanoTime() + Fixture.SOON.toNanos();
        while (server.requests().size() < count && System.nanoTime() < end) {
            Thread.sleep(1);
        }
        assertEquals(count, server.requests().size());
    }
}
