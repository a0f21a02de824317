package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.NativeException;
import io.grantwire.xenstore.testing.Fixture;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The habits of the kernel's xenbus device that a socket does not have. */
@Timeout(60)
class SerialStreamTest {

    /** A device: a function from requests to replies, which may refuse the write instead. */
    private static final class Device implements XsStream {
        private static final byte[] END = {};

        private final Function<XsMessage, byte[]> answers;
        private final BlockingQueue<byte[]> replies = new LinkedBlockingQueue<>();

        Device(Function<XsMessage, byte[]> answers) {
            this.answers = answers;
        }

        @Override
        public String description() {
            return "device";
        }

        @Override
        public int payloadMax() {
            return PolledStream.DEVICE_PAYLOAD_MAX;
        }

        @Override
        public boolean serial() {
            return true;
        }

        @Override
        public boolean writeFailureIsReply() {
            return true;
        }

        @Override
        public boolean read(ByteBuffer to) {
            try {
                byte[] reply = replies.take();
                to.put(reply);
                return reply.length > 0;
            } catch (InterruptedException e) {
                return false;
            }
        }

        @Override
        public void write(byte[] message) {
            replies.add(answers.apply(XsWire.decode(ByteBuffer.wrap(message))));
        }

        @Override
        public void wake() {
            replies.add(END);
        }

        @Override
        public void close() {}
    }

    private static XsClient on(Function<XsMessage, byte[]> answers) {
        return new XsClient(new WireConnection(new Device(answers), Duration.ofSeconds(20)));
    }

    @Test
    void replyNeedsNoRequestId() throws Exception {
        try (XsClient store =
                on(request ->
                        XsWire.encode(
                                request.type(),
                                request.is(XsType.WATCH) ? 0 : 4711,
                                0,
                                XsWire.join("OK")))) {
            store.watch("/a", "t").close();
            store.write("/a", "1");
            assertEquals("OK\0", store.readString("/a"));
        }
    }

    @Test
    void refusedWriteConcernsOnlyItsRequest() {
        try (XsClient store =
                on(request -> {
                    if (request.is(XsType.WATCH)) {
                        throw new NativeException("write(device)", Errno.numberOf("EEXIST"));
                    }
                    return XsWire.encode(request.type(), 0, 0, XsWire.bytes("here"));
                })) {
            failure("EEXIST", () -> store.watch("/a", "t"));
            assertEquals("here", store.readString("/a"));
        }
    }

    @Test
    void callersTakeTurnsAndGetTheirOwnReplies() throws InterruptedException {
        try (XsClient store =
                on(request ->
                        XsWire.encode(
                                request.type(),
                                0,
                                0,
                                XsWire.bytes(XsWire.first(request.payload()))))) {
            List<Thread> threads = new ArrayList<>();
            AtomicInteger right = new AtomicInteger();
            for (int t = 0; t < 4; t++) {
                String path = "/" + t;
                Runnable work =
                        () -> {
                            for (int i = 0; i < 200; i++) {
                                if (path.equals(store.readString(path))) {
                                    right.incrementAndGet();
                                }
                            }
                        };
                threads.add(Thread.ofPlatform().start(work));
            }
            for (Thread thread : threads) {
                assertTrue(thread.join(Fixture.SOON));
            }
            assertEquals(800, right.get());
        }
    }

    @Test
    void messagesAreAsShortAsTheDevicesBuffer() {
        try (XsClient store =
                on(request -> XsWire.encode(request.type(), 0, 0, XsWire.join("OK")))) {
            store.write("/a", new byte[4096 - 16 - 3]);
            XenstoreException e =
                    failure("E2BIG", () -> store.write("/a", new byte[4096 - 16 - 2]));
            assertTrue(e.getMessage().contains("at most 4077 fit"), e.getMessage());
        }
    }
}
