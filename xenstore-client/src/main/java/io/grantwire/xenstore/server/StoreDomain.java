package io.grantwire.xenstore.server;

/**
 * What the store knows of a domain that may speak to it, and what the domain is using up. Event
 * loop only.
 */
final class StoreDomain implements Subject {
    /** Bytes counted for a watch besides its path and token. */
    private static final int WATCH_BYTES = 64;

    private static final long NANOS_BETWEEN_COMPLAINTS = 10_000_000_000L;

    private final int domid;
    private int target = -1;
    private int watches;
    private int transactions;
    private long watchBytes;
    private long transactionBytes;
    private int connections;
    private final WriteCredit credit = new WriteCredit();
    private boolean complained;
    private long complainedAt;

    StoreDomain(int domid) {
        this.domid = domid;
    }

    @Override
    public int domid() {
        return domid;
    }

    @Override
    public int target() {
        return target;
    }

    void setTarget(int newTarget) {
        target = newTarget;
    }

    int watches() {
        return watches;
    }

    void watchAdded(String path, String token) {
        watches++;
        watchBytes += path.length() + token.length() + WATCH_BYTES;
    }

    void watchRemoved(String path, String token) {
        watches--;
        watchBytes -= path.length() + token.length() + WATCH_BYTES;
    }

    int transactions() {
        return transactions;
    }

    void transactionStarted() {
        transactions++;
    }

    void transactionEnded() {
        transactions--;
    }

    /** Counts bytes that the domain's transactions hold. */
    void hold(long bytes) {
        transactionBytes += bytes;
    }

    /** Bytes in use besides the nodes the domain owns. */
    long heldBytes() {
        return watchBytes + transactionBytes;
    }

    int connections() {
        return connections;
    }

    void connectionOpened() {
        connections++;
    }

    void connectionClosed() {
        connections--;
    }

    /**
     * Whether what its clients do wrong is to be logged: now and then only, since they can do it as
     * often as they like.
     *
     * @param now as {@link System#nanoTime} has it
     */
    boolean mayComplain(long now) {
        if (complained && now - complainedAt < NANOS_BETWEEN_COMPLAINTS) {
            return false;
        }
        complained = true;
        complainedAt = now;
        return true;
    }

    WriteCredit credit() {
        return credit;
    }
}
