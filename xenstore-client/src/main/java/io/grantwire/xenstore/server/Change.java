package io.grantwire.xenstore.server;

/**
 * Something that watches may have to be told: a node was made, changed or removed, or a special
 * watch fires.
 *
 * @param path the node or the special name
 * @param exact whether only watches on this very path are meant: so for the nodes below one that
 *     was removed, where a watch further up gets a single event for the top
 * @param before the permissions before the change, or null when they do not matter
 * @param after the permissions after the change, or those a removed node had, or null
 * @param parent the permissions of the node above, or null
 */
record Change(
        String path, boolean exact, Permissions before, Permissions after, Permissions parent) {

    /**
     * Whether the subject may learn of it: it can read the node or the node's parent, or could read
     * the node before its permissions changed.
     */
    boolean visibleTo(Subject subject) {
        if (before != null && before.readableBy(subject)) {
            return true;
        }
        return after != null
                && (after.readableBy(subject) || (parent != null && parent.readableBy(subject)));
    }

    /** Takes changes in the order in which they happen. */
    interface Listener {
        void changed(Change change);
    }
}
