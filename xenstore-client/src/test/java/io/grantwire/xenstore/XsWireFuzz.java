package io.grantwire.xenstore;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Whatever bytes a peer sends, the codec takes messages off them or refuses, and a client gets a
 * value or a {@link XenstoreException}. Runs over its corpus in every build; {@code JAZZER_FUZZ=1}
 * searches for new inputs.
 */
class XsWireFuzz {

    @FuzzTest(maxDuration = "60s")
    void anyBytesAreMessagesOrRefused(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            while (true) {
                int from = in.position();
                XsMessage message = XsWire.decode(in);
                if (message == null) {
                    check(in.position() == from, "an incomplete message was taken off");
                    return;
                }
                byte[] taken = Arrays.copyOfRange(bytes, from, in.position());
                check(Arrays.equals(taken, XsWire.encode(message)), "another message came out");
                payload(message.payload());
            }
        } catch (XsProtocolException e) {
            check(e.getMessage().indexOf('\n') < 0, "more than a line");
        }
    }

    private static void payload(byte[] payload) {
        try {
            List<String> strings = XsWire.split(payload);
            check(Arrays.equals(payload, XsWire.join(strings)), "other strings came out");
            for (String s : strings) {
                XenstorePath.problem(s);
                try {
                    check(
                            XenstorePermission.parse(s).toString().charAt(0) == s.charAt(0),
                            "another permission");
                } catch (IllegalArgumentException e) {
                    // No permission, and said so.
                }
                try {
                    XsWire.number(s);
                } catch (XsProtocolException e) {
                    // No number, and said so.
                }
            }
            if (payload.length > 0) {
                byte[] again = XsWire.joinRaw(XsWire.first(payload), XsWire.afterFirst(payload));
                check(Arrays.equals(payload, again), "another first string came out");
            }
        } catch (XsProtocolException e) {
            check(payload[payload.length - 1] != 0, "refused, though all strings have NULs");
        }
    }

    @FuzzTest(maxDuration = "60s")
    void clientSurvivesAnyReply(byte[] bytes) {
        try (XsClient client =
                new XsClient(new WireConnection(new Replies(bytes), Duration.ofSeconds(20)))) {
            attempt(() -> client.readString("/a"));
            attempt(() -> client.directory("/a"));
            attempt(() -> client.permissions("/a"));
            attempt(() -> client.domainPath(1));
            attempt(() -> client.transaction(t -> t.exists("/a")));
            attempt(() -> client.watch("/a", "t").poll());
        }
    }

    private static void attempt(Supplier<?> operation) {
        try {
            operation.get();
        } catch (XenstoreException e) {
            check(e.getMessage().indexOf('\n') < 0, "more than a line: " + e.getMessage());
        }
    }

    /** A store that has said everything in advance, and hangs up. */
    private static final class Replies implements XsStream {
        private final ByteBuffer bytes;
        private boolean asked;
        private boolean woken;

        Replies(byte[] bytes) {
            this.bytes = ByteBuffer.wrap(bytes);
        }

        @Override
        public String description() {
            return "replies";
        }

        @Override
        public int payloadMax() {
            return XsWire.PAYLOAD_MAX;
        }

        @Override
        public boolean serial() {
            // Not by request id: any type that fits is taken.
            return true;
        }

        @Override
        public boolean writeFailureIsReply() {
            return false;
        }

        @Override
        public synchronized boolean read(ByteBuffer to) {
            // One message's worth for each request, so that replies meet requests.
            while (!asked && !woken) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    return false;
                }
            }
            if (woken || !bytes.hasRemaining()) {
                return false;
            }
            int count = bytes.remaining();
            try {
                ByteBuffer ahead = bytes.duplicate();
                XsMessage message = XsWire.decode(ahead);
                if (message != null) {
                    count = ahead.position() - bytes.position();
                    // After an event the request still waits.
                    asked = message.is(XsType.WATCH_EVENT);
                }
            } catch (XsProtocolException e) {
                // All the rest, which the client refuses as well.
            }
            count = Math.min(count, to.remaining());
            to.put(bytes.slice(bytes.position(), count));
            bytes.position(bytes.position() + count);
            return true;
        }

        @Override
        public synchronized void write(byte[] message) {
            asked = true;
            notifyAll();
        }

        @Override
        public synchronized void wake() {
            woken = true;
            notifyAll();
        }

        @Override
        public void close() {}
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
