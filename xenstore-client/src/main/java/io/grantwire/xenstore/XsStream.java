package io.grantwire.xenstore;

import java.nio.ByteBuffer;

/**
 * The bytes of the wire protocol, both ways. One thread reads; writes are serialised by the caller.
 *
 * <p>Failures are {@link io.grantwire.bindings.NativeException}s.
 */
interface XsStream {
    /** What it leads to, for people: {@code unix:/run/xenstored/socket}. */
    String description();

    /** Most bytes of payload that one message may have on the way out. */
    int payloadMax();

    /**
     * Whether the other end answers one request after the other and does not echo request ids
     * faithfully. So do the kernels' xenbus devices: replies to WATCH and UNWATCH are made up by
     * the kernel with id 0, and some versions returned ids of their own for everything.
     */
    boolean serial();

    /**
     * Whether a failed {@link #write} concerns only its message. The xenbus device reports the
     * store's refusal of a watch that way; a socket that cannot be written to is lost.
     */
    boolean writeFailureIsReply();

    /**
     * Waits for bytes and appends them.
     *
     * @param to a direct buffer with room
     * @return whether to go on: false at the end of the stream and after {@link #wake}
     */
    boolean read(ByteBuffer to);

    /** Sends one whole message. */
    void write(byte[] message);

    /** Makes {@link #read} return false, now and later, and a blocked write fail. Any thread. */
    void wake();

    /** Gives the descriptors back. Called when nobody reads or writes any more. */
    void close();
}
