package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A process's end of the conversation with the emulated hypervisor: one request at a time.
 * Thread-safe; a second thread's request waits for the first one's reply.
 */
final class BrokerLink implements AutoCloseable {
    /** A hypervisor that says nothing for this long is taken for dead. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final String HOST_GONE =
            "the emulated host is gone; start it again, then this process";

    private final UnixSocket socket;
    private final Message out = new Message(Arena.ofAuto().allocate(HypervisorWire.MAX_MESSAGE));
    private final Message in = new Message(Arena.ofAuto().allocate(HypervisorWire.MAX_MESSAGE));
    private int sequence;
    private boolean closed;
    private boolean broken;

    /** Writes a request's arguments. */
    interface Arguments {
        void put(Message request);
    }

    /** Takes a reply's results, while the link is held; must take ownership of the descriptors. */
    interface Results<T> {
        T take(Message reply, List<Fd> descriptors);
    }

    BrokerLink(Path path) {
        try {
            socket = UnixSocket.connect(path, UnixSocket.Type.SEQPACKET);
        } catch (NativeException e) {
            boolean nobody = e.errno() == LibC.ENOENT() || e.errno() == LibC.ECONNREFUSED();
            throw nobody ? e.withHint("no emulated host runs there; start one first") : e;
        }
    }

    /** Sends a request that answers nothing but success. */
    void call(int op, Arguments arguments) {
        call(
                op,
                arguments,
                (reply, descriptors) -> {
                    if (!descriptors.isEmpty()) {
                        throw new Message.Malformed("unexpected descriptors");
                    }
                    return null;
                });
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @throws NativeException when it is refused, or the hypervisor is gone
     * @throws MapRefused when mapping is refused
     */
    synchronized <T> T call(int op, Arguments arguments, Results<T> results) {
        if (closed || broken) {
            String hint = closed ? "the domain was closed" : HOST_GONE;
            throw new NativeException(what(op), closed ? LibC.EBADF() : LibC.ENOTCONN(), hint);
        }
        int seq = ++sequence;
        arguments.put(out.clear().put(op).put(seq));
        List<Fd> descriptors = new ArrayList<>();
        try {
            exchange(op, descriptors);
            if (in.get() != op || in.get() != seq) {
                throw new Message.Malformed("the reply is to another request");
            }
            int status = in.get();
            int detail = in.get();
            if (status < 0) {
                throw new MapRefused(detail, in.getText(HypervisorWire.MAX_TEXT));
            }
            if (status > 0) {
                String text = in.getText(HypervisorWire.MAX_TEXT);
                throw new NativeException(what(op), status, text);
            }
            T result = results.take(in, descriptors);
            in.end();
            return result;
        } catch (Message.Malformed e) {
            descriptors.forEach(Fd::close);
            broken = true;
            throw new NativeException(what(op), LibC.EPROTO(), "not understood: " + e.getMessage());
        } catch (RuntimeException e) {
            descriptors.forEach(Fd::close);
            throw e;
        }
    }

    private void exchange(int op, List<Fd> descriptors) {
        int bytes;
        try {
            socket.send(out.written());
            if (!socket.fd().pollReadable(PATIENCE)) {
                broken = true;
                throw new NativeException(
                        what(op),
                        LibC.ETIMEDOUT(),
                        "no answer in " + PATIENCE.toSeconds() + " s; is the host stopped?");
            }
            bytes = socket.receive(in.buffer(), descriptors);
        } catch (NativeException e) {
            boolean gone = e.errno() == LibC.EPIPE() || e.errno() == LibC.ECONNRESET();
            broken = true;
            throw gone ? new NativeException(what(op), LibC.ENOTCONN(), HOST_GONE) : e;
        }
        if (bytes <= 0) {
            broken = true;
            throw new NativeException(what(op), LibC.ENOTCONN(), HOST_GONE);
        }
        in.received(bytes);
    }

    private static String what(int op) {
        return "emulated host: " + HypervisorWire.nameOf(op);
    }

    /** Whether requests can succeed, as far as is known without sending one. */
    synchronized boolean usable() {
        return !closed && !broken;
    }

    /** Hangs up. The hypervisor then cleans up after this process. */
    @Override
    public synchronized void close() {
        closed = true;
        socket.close();
    }

    /** A grant that may not be mapped. */
    static final class MapRefused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final int position;

        MapRefused(int position, String reason) {
            super(reason);
            this.position = position;
        }

        /** Which one of the request's list. */
        int position() {
            return position;
        }
    }
}
