package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The store itself: the current tree, the generation count and the open transactions. It knows no
 * connection and no wire format; who may do what is decided in {@link StoreView}.
 *
 * <p>One thread at a time.
 */
final class Store {
    /**
     * A snapshot keeps every version of a node alive that was replaced since. Together, snapshots
     * may keep this many bytes; older transactions lose theirs and end with EAGAIN, as they most
     * likely would have.
     */
    static final long REPLACED_BYTES_KEPT = 16L << 20;

    private static final long REPLACED_BYTES_BETWEEN_CHECKS = 1L << 20;

    private final Quotas quotas;
    private final Change.Listener listener;
    private final Set<Transaction> open = new LinkedHashSet<>();
    private Tree tree = Tree.initial();
    private long generation;
    private long replacedBytes;
    private long checkedAt;

    /**
     * @param quotas the limits of unprivileged domains
     * @param listener is told of every change of the tree, after it happened
     */
    Store(Quotas quotas, Change.Listener listener) {
        this.quotas = quotas;
        this.listener = listener;
    }

    Quotas quotas() {
        return quotas;
    }

    Tree tree() {
        return tree;
    }

    long nextGeneration() {
        return ++generation;
    }

    /**
     * Makes a changed tree the current one.
     *
     * @param replaced bytes of what it no longer holds
     */
    void advance(Tree changed, long replaced) {
        tree = changed;
        replacedBytes += replaced;
        if (replacedBytes - checkedAt >= REPLACED_BYTES_BETWEEN_CHECKS) {
            checkedAt = replacedBytes;
            for (Transaction tx : open) {
                if (!tx.stale() && replacedBytes - tx.replacedAtStart() > REPLACED_BYTES_KEPT) {
                    tx.giveUpSnapshot(tree);
                }
            }
        }
    }

    void fire(Change change) {
        listener.changed(change);
    }

    /** Puts another tree in place of the current one; open transactions will meet conflicts. */
    void restore(Tree restored) {
        tree = restored;
        open.forEach(tx -> tx.giveUpSnapshot(restored));
    }

    /** Whether a domain other than this one has a transaction open. */
    boolean othersInTransaction(int domid) {
        for (Transaction tx : open) {
            if (tx.owner().domid() != domid && !tx.stale()) {
                return true;
            }
        }
        return false;
    }

    /** Bytes a domain has in use altogether. */
    long memoryOf(StoreDomain domain) {
        return tree.usage().bytes(domain.domid()) + domain.heldBytes();
    }

    Transaction begin(StoreDomain domain) throws StoreError {
        if (!domain.privileged() && domain.transactions() >= quotas.transactions()) {
            throw new StoreError(StoreErrno.ENOSPC);
        }
        Transaction tx = new Transaction(domain, tree, replacedBytes);
        domain.transactionStarted();
        open.add(tx);
        return tx;
    }

    void abort(Transaction tx) {
        if (open.remove(tx)) {
            tx.ended();
        }
    }

    /** Commits or fails; the transaction is over in either case. */
    void commit(Transaction tx) throws StoreError {
        if (!open.remove(tx)) {
            throw new StoreError(StoreErrno.ENOENT);
        }
        tx.ended();
        if (tx.failed()) {
            throw new StoreError(StoreErrno.ENOMEM);
        }
        if (tx.stale() || conflicts(tx)) {
            throw new StoreError(StoreErrno.EAGAIN);
        }
        if (tx.working() == tx.snapshot()) {
            return;
        }
        Tree merged = tree.merge(tx.snapshot(), tx.working());
        StoreDomain owner = tx.owner();
        if (tx.created()
                && !owner.privileged()
                && merged.usage().nodes(owner.domid()) > quotas.nodes()) {
            throw new StoreError(StoreErrno.ENOSPC);
        }
        long replaced = 0;
        for (Transaction.Touched t : tx.touched()) {
            replaced += sizeOf(tree.find(t.path));
        }
        advance(merged, replaced);
        for (Transaction.Touched t : tx.touched()) {
            if (t.fire()) {
                Node node = merged.find(t.path);
                fire(change(t.path, t.exact(), t.before, node, merged));
            }
        }
    }

    private boolean conflicts(Transaction tx) {
        if (tree == tx.snapshot()) {
            return false;
        }
        for (Transaction.Touched t : tx.touched()) {
            if (t.generation != Node.generationOf(tree.find(t.path))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Takes everything away that a domain which is gone owned, with all below it, and its entries
     * in the permissions of other nodes, so that the next domain with its number does not inherit
     * them.
     */
    void purge(int domid) {
        List<String> owned = new ArrayList<>();
        List<String> listed = new ArrayList<>();
        collect("/", tree.root(), domid, owned, listed);
        tree.specials().forEach((name, node) -> collect(name, node, domid, owned, listed));
        for (String path : listed) {
            Node node = tree.find(path);
            replace(path, node, node.permissions().without(domid));
        }
        for (String path : owned) {
            Node node = tree.find(path);
            if (path.equals("/") || XenstorePath.isSpecial(path)) {
                replace(path, node, node.permissions().without(domid).ownedBy(0));
            } else {
                remove(path, node);
            }
        }
    }

    private void replace(String path, Node node, Permissions permissions) {
        advance(tree.with(path, node.withPermissions(permissions, nextGeneration())), node.size());
    }

    private void remove(String path, Node node) {
        Tree before = tree;
        long[] bytes = {0};
        forEachBottomUp(path, node, (p, n) -> bytes[0] += n.size());
        advance(before.without(path, nextGeneration()), bytes[0]);
        forEachBottomUp(path, node, (p, n) -> fire(change(p, !p.equals(path), null, n, before)));
    }

    private static void collect(
            String path, Node node, int domid, List<String> owned, List<String> listed) {
        if (node.permissions().owner() == domid) {
            owned.add(path);
            if (!path.equals("/")) {
                return; // what is below goes with it
            }
        } else if (node.permissions().lists(domid)) {
            listed.add(path);
        }
        Children children = node.children();
        for (int i = 0; i < children.size(); i++) {
            collect(
                    XenstorePath.child(path, children.name(i)),
                    children.node(i),
                    domid,
                    owned,
                    listed);
        }
    }

    /** What watches are told about a node; {@code in} is the tree that holds its parent. */
    static Change change(String path, boolean exact, Permissions before, Node node, Tree in) {
        String above = XenstorePath.isSpecial(path) ? "/" : XenstorePath.parent(path);
        Node parent = node == null || above == null ? null : in.find(above);
        return new Change(
                path,
                exact,
                before,
                node == null ? null : node.permissions(),
                parent == null ? null : parent.permissions());
    }

    /** Something done with every node of a subtree. */
    interface NodeAction {
        void accept(String path, Node node);
    }

    /** Children before their parents, in the store's order. */
    static void forEachBottomUp(String path, Node node, NodeAction action) {
        Children children = node.children();
        for (int i = 0; i < children.size(); i++) {
            forEachBottomUp(XenstorePath.child(path, children.name(i)), children.node(i), action);
        }
        action.accept(path, node);
    }

    private static int sizeOf(Node node) {
        return node == null ? 0 : node.size();
    }
}
