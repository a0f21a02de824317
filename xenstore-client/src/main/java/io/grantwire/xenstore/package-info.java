/**
 * A xenstore client. {@link io.grantwire.xenstore.Xenstores} opens a {@link
 * io.grantwire.xenstore.Xenstore} over xenstored's socket, the kernel's device or libxenstore.
 *
 * <p>Inside, from the bytes up: {@link io.grantwire.xenstore.XsWire} is the codec, {@code XsStream}
 * the bytes of a socket or device, {@code WireRequests} matches replies to requests, {@code
 * XsConnection} is one way to a store ({@code WireConnection}, {@code LibraryConnection}), and
 * {@code XsClient} adds what all of them share: checks, transactions, watch queues, messages that
 * say what to do. The server is in {@link io.grantwire.xenstore.server}.
 */
package io.grantwire.xenstore;
