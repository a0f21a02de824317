package io.grantwire.xenstore.server;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An open transaction: the tree as it was at the start, the tree as the transaction has changed it,
 * and which nodes it has touched. Reads and writes happen on its own tree; at the end every touched
 * node has to be in the store as it was in the snapshot, else the transaction fails with EAGAIN.
 */
final class Transaction {
    /** What the transaction did to one path. */
    static final class Touched {
        final String path;

        /** The node's generation in the snapshot, or {@link Node#ABSENT}. */
        final long generation;

        /** The node's permissions in the snapshot, or null. */
        final Permissions before;

        /** Whether watches are to be told after the commit. */
        private boolean fire;

        private boolean exact;
        private int heldBytes;

        private Touched(String path, Node node) {
            this.path = path;
            generation = Node.generationOf(node);
            before = node == null ? null : node.permissions();
        }

        boolean fire() {
            return fire;
        }

        boolean exact() {
            return exact;
        }
    }

    /** Bytes counted for a touched node besides its path. */
    private static final int TOUCHED_BYTES = 64;

    private final StoreDomain owner;
    private final Map<String, Touched> touched = new LinkedHashMap<>();
    private final long replacedAtStart;
    private Tree snapshot;
    private Tree working;
    private boolean stale;
    private boolean failed;
    private boolean created;
    private long heldBytes;

    /**
     * @param owner whose transaction it is
     * @param current the store's tree
     * @param replacedAtStart the store's count of replaced bytes
     */
    Transaction(StoreDomain owner, Tree current, long replacedAtStart) {
        this.owner = owner;
        this.replacedAtStart = replacedAtStart;
        snapshot = current;
        working = current;
    }

    StoreDomain owner() {
        return owner;
    }

    long replacedAtStart() {
        return replacedAtStart;
    }

    Tree snapshot() {
        return snapshot;
    }

    Tree working() {
        return working;
    }

    void setWorking(Tree changed) {
        working = changed;
    }

    /** Whether the snapshot was given up; such a transaction can only end with EAGAIN. */
    boolean stale() {
        return stale;
    }

    /** Lets go of the snapshot, so that what it alone holds can be freed. */
    void giveUpSnapshot(Tree current) {
        stale = true;
        snapshot = current;
        working = current;
        touched.clear();
        owner.hold(-heldBytes);
        heldBytes = 0;
    }

    /** Whether a request could not be carried out in full; the commit answers ENOMEM. */
    boolean failed() {
        return failed;
    }

    void fail() {
        failed = true;
    }

    boolean created() {
        return created;
    }

    void nodesCreated() {
        created = true;
    }

    Collection<Touched> touched() {
        return touched.values();
    }

    /**
     * Notes that a path was looked at.
     *
     * @param limit how many paths may be touched
     */
    void touch(String path, int limit) throws StoreError {
        if (touched.containsKey(path)) {
            return;
        }
        if (touched.size() >= limit) {
            failed = true;
            throw new StoreError(StoreErrno.ENOSPC);
        }
        touched.put(path, new Touched(path, snapshot.find(path)));
        hold(path.length() + TOUCHED_BYTES);
    }

    /** Notes the size of what a touched path now holds in the transaction's own tree. */
    void modified(String path, int size) {
        Touched t = touched.get(path);
        if (t != null) {
            hold((long) size - t.heldBytes);
            t.heldBytes = size;
        }
    }

    /** Notes an event to send after the commit; one for a whole subtree outweighs an exact one. */
    void queue(String path, boolean exact) {
        Touched t = touched.get(path);
        if (t != null) {
            t.exact = t.fire ? t.exact && exact : exact;
            t.fire = true;
        }
    }

    /** To be called once when the transaction is over, however it ended. */
    void ended() {
        owner.hold(-heldBytes);
        heldBytes = 0;
        owner.transactionEnded();
    }

    private void hold(long bytes) {
        heldBytes += bytes;
        owner.hold(bytes);
    }
}
