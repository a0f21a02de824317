package io.grantwire.xenstore.server;

import java.util.Arrays;

/**
 * The children of a node, immutable, in the order in which they were made. Versions that differ in
 * one child's content share the array of names.
 *
 * <p>Look-up is a linear search: strings keep their hash, so that an entry costs one comparison of
 * integers, and directories of a store are small (a node per domain at most).
 */
final class Children {
    static final Children NONE = new Children(new String[0], new Node[0], 0);

    private final String[] names;
    private final Node[] nodes;
    private final int bytes;

    private Children(String[] names, Node[] nodes, int bytes) {
        this.names = names;
        this.nodes = nodes;
        this.bytes = bytes;
    }

    int size() {
        return names.length;
    }

    String name(int i) {
        return names[i];
    }

    Node node(int i) {
        return nodes[i];
    }

    /** Bytes of all names, each with its NUL: the length of the node's DIRECTORY reply. */
    int bytes() {
        return bytes;
    }

    /** The child of this name, or null. */
    Node get(String name) {
        int i = find(name);
        return i < 0 ? null : nodes[i];
    }

    /** With this child replaced, or added at the end. */
    Children with(String name, Node node) {
        int i = find(name);
        if (i >= 0) {
            Node[] changed = nodes.clone();
            changed[i] = node;
            return new Children(names, changed, bytes);
        }
        String[] moreNames = Arrays.copyOf(names, names.length + 1);
        Node[] moreNodes = Arrays.copyOf(nodes, nodes.length + 1);
        moreNames[names.length] = name;
        moreNodes[nodes.length] = node;
        return new Children(moreNames, moreNodes, bytes + name.length() + 1);
    }

    /** Without the child of this name. */
    Children without(String name) {
        int i = find(name);
        if (i < 0) {
            return this;
        }
        String[] fewerNames = Arrays.copyOf(names, names.length - 1);
        Node[] fewerNodes = Arrays.copyOf(nodes, nodes.length - 1);
        System.arraycopy(names, i + 1, fewerNames, i, fewerNames.length - i);
        System.arraycopy(nodes, i + 1, fewerNodes, i, fewerNodes.length - i);
        return new Children(fewerNames, fewerNodes, bytes - name.length() - 1);
    }

    private int find(String name) {
        int hash = name.hashCode();
        for (int i = 0; i < names.length; i++) {
            if (names[i].hashCode() == hash && names[i].equals(name)) {
                return i;
            }
        }
        return -1;
    }
}
