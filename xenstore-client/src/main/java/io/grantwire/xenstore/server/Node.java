package io.grantwire.xenstore.server;

/**
 * One node of the tree, immutable. The generation changes with the node's value, its permissions
 * and its list of children's names, but not with what is inside its children: two equal generations
 * of one path mean that the node itself is as it was.
 *
 * @param value the content; never changed after the node was made
 * @param permissions who may do what
 * @param children the nodes below
 * @param generation when it was last changed
 */
record Node(byte[] value, Permissions permissions, Children children, long generation) {
    /** The generation of a node that does not exist. */
    static final long ABSENT = -1;

    static final byte[] NO_VALUE = new byte[0];

    /** What xenstored counts for a node besides its contents. */
    private static final int FIXED_BYTES = 24;

    private static final int BYTES_PER_PERMISSION = 8;

    /** A new node without children. */
    static Node leaf(byte[] value, Permissions permissions, long generation) {
        return new Node(value, permissions, Children.NONE, generation);
    }

    static long generationOf(Node node) {
        return node == null ? ABSENT : node.generation;
    }

    Node withValue(byte[] newValue, long newGeneration) {
        return new Node(newValue, permissions, children, newGeneration);
    }

    Node withPermissions(Permissions newPermissions, long newGeneration) {
        return new Node(value, newPermissions, children, newGeneration);
    }

    /** With a child added or removed: a change of this node. */
    Node withChildren(Children newChildren, long newGeneration) {
        return new Node(value, permissions, newChildren, newGeneration);
    }

    /** With something changed inside a child: no change of this node. */
    Node withChild(String name, Node child) {
        return new Node(value, permissions, children.with(name, child), generation);
    }

    /** Bytes as the quotas count them, without what is inside the children. */
    int size() {
        return FIXED_BYTES
                + BYTES_PER_PERMISSION * permissions.size()
                + value.length
                + children.bytes();
    }
}
