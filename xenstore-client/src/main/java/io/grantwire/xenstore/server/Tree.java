package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A state of the whole store, immutable: a change makes a new tree that shares every untouched node
 * with the old one, so that a snapshot is a reference. Besides the tree below {@code /} it holds
 * the nodes of the two special watches, which carry only permissions.
 *
 * <p>Pure data: no permission is checked and no quota applied here. Paths are absolute and valid.
 */
final class Tree {
    private final Node root;
    private final Map<String, Node> specials;
    private final Usage usage;

    private Tree(Node root, Map<String, Node> specials, Usage usage) {
        this.root = root;
        this.specials = specials;
        this.usage = usage;
    }

    /** What a store starts with, all of generation 0. */
    static Tree initial() {
        Node special = Node.leaf(Node.NO_VALUE, Permissions.PRIVATE, 0);
        Tree tree =
                of(
                        special,
                        Map.of(
                                XenstorePath.INTRODUCE_DOMAIN, special,
                                XenstorePath.RELEASE_DOMAIN, special));
        return tree.withNew("/", "tool", special, 0).withNew("/tool", "xenstored", special, 0);
    }

    /** A tree of these nodes. */
    static Tree of(Node root, Map<String, Node> specials) {
        Usage usage = Usage.NONE.subtree(root, true);
        for (Node special : specials.values()) {
            usage = usage.replace(null, special);
        }
        return new Tree(root, Map.copyOf(specials), usage);
    }

    Node root() {
        return root;
    }

    /** The special watches' nodes by name, in the order of their names. */
    Map<String, Node> specials() {
        return new TreeMap<>(specials);
    }

    Usage usage() {
        return usage;
    }

    /** The node at a path, or null. */
    Node find(String path) {
        if (XenstorePath.isSpecial(path)) {
            return specials.get(path);
        }
        Node node = root;
        for (String name : names(path)) {
            node = node.children().get(name);
            if (node == null) {
                return null;
            }
        }
        return node;
    }

    /** With another version of an existing node; it keeps its children. */
    Tree with(String path, Node changed) {
        if (XenstorePath.isSpecial(path)) {
            Map<String, Node> others = new TreeMap<>(specials);
            Node before = others.put(path, changed);
            return new Tree(root, Map.copyOf(others), usage.replace(before, changed));
        }
        return new Tree(replaced(path, changed), specials, usage.replace(find(path), changed));
    }

    /** With a new node, which may have nodes below it, under an existing parent. */
    Tree withNew(String parentPath, String name, Node node, long parentGeneration) {
        Node parent = find(parentPath);
        Node changed = parent.withChildren(parent.children().with(name, node), parentGeneration);
        return new Tree(
                replaced(parentPath, changed),
                specials,
                usage.subtree(node, true).replace(parent, changed));
    }

    /** Without an existing node and all below it. */
    Tree without(String path, long parentGeneration) {
        String parentPath = XenstorePath.parent(path);
        String name = XenstorePath.name(path);
        Node parent = find(parentPath);
        Node gone = parent.children().get(name);
        Node changed = parent.withChildren(parent.children().without(name), parentGeneration);
        return new Tree(
                replaced(parentPath, changed),
                specials,
                usage.subtree(gone, false).replace(parent, changed));
    }

    /**
     * This tree with the changes that lead from {@code base} to {@code mine}. Every node that these
     * changed, added to or removed has to be the same in {@code base} and in this tree.
     */
    Tree merge(Tree base, Tree mine) {
        if (this == base) {
            return mine;
        }
        Map<String, Node> mergedSpecials = new TreeMap<>(specials);
        specials.forEach((name, theirs) ->
                mergedSpecials.put(
                        name, merge(base.specials.get(name), mine.specials.get(name), theirs)));
        return new Tree(
                merge(base.root, mine.root, root),
                Map.copyOf(mergedSpecials),
                usage.shift(base.usage, mine.usage));
    }

    private static Node merge(Node base, Node mine, Node theirs) {
        if (mine == base || mine == theirs) {
            return theirs;
        }
        if (theirs == base) {
            return mine;
        }
        // Both have changed something at or below this node; if mine changed the node itself, they
        // have not (the caller checked), so that the newer list of children is the right one.
        Node front = mine.generation() != base.generation() ? mine : theirs;
        Children merged = front.children();
        for (int i = 0; i < merged.size(); i++) {
            String name = merged.name(i);
            Node b = base.children().get(name);
            Node m = mine.children().get(name);
            Node t = theirs.children().get(name);
            if (m != null && t != null && b != null) {
                Node child = merge(b, m, t);
                if (child != merged.node(i)) {
                    merged = merged.with(name, child);
                }
            }
        }
        return new Node(front.value(), front.permissions(), merged, front.generation());
    }

    /** The root after the node at {@code path} was replaced. */
    private Node replaced(String path, Node changed) {
        List<String> names = names(path);
        Node[] way = new Node[names.size()];
        Node node = root;
        for (int i = 0; i < way.length; i++) {
            way[i] = node;
            node = node.children().get(names.get(i));
        }
        Node result = changed;
        for (int i = way.length - 1; i >= 0; i--) {
            result = way[i].withChild(names.get(i), result);
        }
        return result;
    }

    private static List<String> names(String path) {
        List<String> names = new ArrayList<>(8);
        int from = 1;
        while (from < path.length()) {
            int slash = path.indexOf('/', from);
            int to = slash < 0 ? path.length() : slash;
            names.add(path.substring(from, to));
            from = to + 1;
        }
        return names;
    }
}
