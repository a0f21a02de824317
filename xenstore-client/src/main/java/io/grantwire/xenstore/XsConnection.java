package io.grantwire.xenstore;

import java.util.List;

/**
 * One way to a store: single operations, each with its transaction (0 for none), without the checks
 * and the conveniences that {@link XsClient} adds.
 *
 * <p>Arguments are valid by the time they come here. Every method may be called from any thread.
 * What fails is an {@link XsFailure}, nothing else.
 */
interface XsConnection extends AutoCloseable {

    /** Where the events of this connection's watches go. */
    interface Listener {
        /**
         * A watch fired. Called on the connection's own thread: must not block nor call back.
         *
         * @param token as it was given to {@link XsConnection#watch}
         */
        void event(String path, String token);

        /** The connection is over, by the peer's doing or by {@link XsConnection#close}; once. */
        void over(XsFailure why);
    }

    /** Hands over the listener, and begins to read. Called once, before anything else. */
    void start(Listener listener);

    /** What it speaks over, for people. */
    String description();

    /** Whether there is a connection now; only one that comes back can be away for a while. */
    default boolean connected() {
        return true;
    }

    /** Most bytes of payload that fit through. */
    int payloadMax();

    byte[] read(int tx, String path);

    void write(int tx, String path, byte[] value);

    void mkdir(int tx, String path);

    void rm(int tx, String path);

    List<String> directory(int tx, String path);

    List<XenstorePermission> permissions(int tx, String path);

    void setPermissions(int tx, String path, List<XenstorePermission> permissions);

    String domainPath(int domid);

    /** Starts a transaction; its id is not 0. */
    int startTransaction();

    /**
     * Whether a transaction went with a connection that was lost, and another connection can begin
     * it again. What is done in it fails with EAGAIN then.
     */
    default boolean transactionLost(int tx) {
        return false;
    }

    /** Ends a transaction; it is over afterwards even when this fails. */
    void endTransaction(int tx, boolean commit);

    void watch(String path, String token);

    void unwatch(String path, String token);

    /** Makes callers that wait fail, and gives everything back; a second call does nothing. */
    @Override
    void close();
}
