package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import java.util.ArrayList;
import java.util.List;

/**
 * The store as one domain sees it, in a transaction or outside: reads and changes with permission
 * checks, quotas and inheritance. Short-lived, made for one request; paths are absolute and valid.
 *
 * <p>The order of the checks and the errors are xenstored's. One rule needs a word: what a domain
 * may not see must not show in the error either. A node that is missing, or that may not be
 * accessed, is EACCES unless the nearest node above that exists gives the same access.
 */
final class StoreView {
    private final Store store;
    private final StoreDomain domain;
    private final Transaction tx;

    /**
     * @param tx the domain's transaction, or null
     */
    StoreView(Store store, StoreDomain domain, Transaction tx) {
        this.store = store;
        this.domain = domain;
        this.tx = tx;
    }

    /** The node, with the right to read it. */
    Node read(String path) throws StoreError {
        return require(path, Permissions.READ);
    }

    void write(String path, byte[] value) throws StoreError {
        Node node = requireOrMissing(path, Permissions.WRITE);
        if (node == null) {
            create(path, value);
        } else {
            change(path, node, node.withValue(value, store.nextGeneration()), null);
        }
    }

    void mkdir(String path) throws StoreError {
        if (requireOrMissing(path, Permissions.WRITE) == null) {
            create(path, Node.NO_VALUE);
        }
    }

    void remove(String path) throws StoreError {
        Node node = requireOrMissing(path, Permissions.WRITE);
        if (node == null) {
            // Nothing to do, if it could have existed.
            if (look(XenstorePath.parent(path)) == null) {
                throw new StoreError(StoreErrno.ENOENT);
            }
            return;
        }
        if (path.equals("/")) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        String parentPath = XenstorePath.parent(path);
        Node parent = look(parentPath);
        Tree before = tree();
        List<String> paths = new ArrayList<>();
        List<Node> nodes = new ArrayList<>();
        Store.forEachBottomUp(
                path,
                node,
                (p, n) -> {
                    paths.add(p);
                    nodes.add(n);
                });
        long bytes = 0;
        for (int i = 0; i < nodes.size(); i++) {
            look(paths.get(i));
            bytes += nodes.get(i).size();
        }
        apply(before.without(path, store.nextGeneration()), bytes + parent.size());
        if (tx != null) {
            paths.forEach(p -> tx.modified(p, 0));
            tx.modified(parentPath, tree().find(parentPath).size());
        }
        for (int i = 0; i < nodes.size(); i++) {
            String p = paths.get(i);
            fire(p, !p.equals(path), null, nodes.get(i), before);
        }
    }

    void setPermissions(String path, Permissions permissions) throws StoreError {
        if (permissions.owner() >= Permissions.FIRST_RESERVED_DOMID) {
            throw new StoreError(StoreErrno.ENOENT);
        }
        Node node = require(path, Permissions.WRITE | Permissions.OWNER);
        if (!domain.privileged() && permissions.owner() != node.permissions().owner()) {
            throw new StoreError(StoreErrno.EPERM);
        }
        change(
                path,
                node,
                node.withPermissions(permissions, store.nextGeneration()),
                node.permissions());
    }

    /** A new version of an existing node. */
    private void change(String path, Node node, Node changed, Permissions before)
            throws StoreError {
        checkSize(changed);
        checkMemory((long) changed.size() - (tx == null ? node.size() : 0));
        apply(tree().with(path, changed), node.size());
        if (tx != null) {
            tx.modified(path, changed.size());
        }
        fire(path, false, before, changed, tree());
    }

    /** A new node and those missing above it; each inherits its parent's permissions. */
    private void create(String path, byte[] value) throws StoreError {
        List<String> missing = new ArrayList<>();
        String existing = path;
        Node parent;
        do {
            missing.add(existing);
            existing = XenstorePath.parent(existing);
            parent = look(existing);
        } while (parent == null);

        Permissions permissions = parent.permissions();
        if (!domain.privileged()) {
            permissions = permissions.ownedBy(domain.domid());
            int owned = tree().usage().nodes(domain.domid());
            if (owned + missing.size() > store.quotas().nodes()) {
                throw new StoreError(StoreErrno.ENOSPC);
            }
        }
        Node node = Node.leaf(value, permissions, store.nextGeneration());
        checkSize(node);
        List<Node> made = new ArrayList<>(List.of(node));
        long bytes = node.size();
        for (int i = 1; i < missing.size(); i++) {
            Children only = Children.NONE.with(XenstorePath.name(missing.get(i - 1)), node);
            node = new Node(Node.NO_VALUE, permissions, only, store.nextGeneration());
            checkSize(node);
            made.add(node);
            bytes += node.size();
        }
        String top = XenstorePath.name(missing.getLast());
        checkSize(parent.size() + top.length() + 1);
        checkMemory(bytes + top.length() + 1);

        apply(tree().withNew(existing, top, node, store.nextGeneration()), parent.size());
        if (tx != null) {
            tx.nodesCreated();
            for (int i = 0; i < made.size(); i++) {
                tx.modified(missing.get(i), made.get(i).size());
            }
            tx.modified(existing, parent.size() + top.length() + 1);
        }
        fire(path, false, null, made.getFirst(), tree());
    }

    private Tree tree() {
        return tx == null ? store.tree() : tx.working();
    }

    private void apply(Tree changed, long replacedBytes) {
        if (tx == null) {
            store.advance(changed, replacedBytes);
        } else {
            tx.setWorking(changed);
        }
    }

    private void fire(String path, boolean exact, Permissions before, Node node, Tree in) {
        if (tx == null) {
            store.fire(Store.change(path, exact, before, node, in));
        } else {
            tx.queue(path, exact);
        }
    }

    /** Looks a node up and lets the transaction know. */
    private Node look(String path) throws StoreError {
        if (tx != null && !tx.stale()) {
            tx.touch(
                    path,
                    domain.privileged() ? Integer.MAX_VALUE : store.quotas().transactionNodes());
            checkMemory(0);
        }
        return tree().find(path);
    }

    private Node requireOrMissing(String path, int access) throws StoreError {
        Node node = look(path);
        if (node != null && (node.permissions().of(domain) & access) == access) {
            return node;
        }
        if (node != null || (above(path).permissions().of(domain) & access) == 0) {
            throw new StoreError(StoreErrno.EACCES);
        }
        return null;
    }

    private Node require(String path, int access) throws StoreError {
        Node node = requireOrMissing(path, access);
        if (node == null) {
            throw new StoreError(StoreErrno.ENOENT);
        }
        return node;
    }

    /** The nearest node above that exists. */
    private Node above(String path) throws StoreError {
        String at = path;
        Node node = null;
        while (node == null) {
            String parent = XenstorePath.isSpecial(at) ? "/" : XenstorePath.parent(at);
            at = parent == null ? "/" : parent;
            node = look(at);
        }
        return node;
    }

    private void checkSize(Node node) throws StoreError {
        checkSize(node.size());
    }

    private void checkSize(int size) throws StoreError {
        if (!domain.privileged() && size >= store.quotas().nodeSize()) {
            if (tx != null) {
                tx.fail();
            }
            throw new StoreError(StoreErrno.ENOSPC);
        }
    }

    private void checkMemory(long more) throws StoreError {
        if (!domain.privileged()
                && more >= 0
                && store.memoryOf(domain) + more > store.quotas().memory()) {
            if (tx != null) {
                tx.fail();
            }
            throw new StoreError(StoreErrno.ENOMEM);
        }
    }
}
