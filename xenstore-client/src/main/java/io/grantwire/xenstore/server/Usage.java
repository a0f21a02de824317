package io.grantwire.xenstore.server;

import java.util.HashMap;
import java.util.Map;

/** How many nodes and bytes of a tree each domain owns; immutable, kept with each tree. */
final class Usage {
    static final Usage NONE = new Usage(Map.of());

    private record Owned(int nodes, long bytes) {
        static final Owned NOTHING = new Owned(0, 0);

        Owned plus(int moreNodes, long moreBytes) {
            return new Owned(nodes + moreNodes, bytes + moreBytes);
        }
    }

    private final Map<Integer, Owned> byOwner;

    private Usage(Map<Integer, Owned> byOwner) {
        this.byOwner = byOwner;
    }

    int nodes(int domid) {
        return byOwner.getOrDefault(domid, Owned.NOTHING).nodes;
    }

    long bytes(int domid) {
        return byOwner.getOrDefault(domid, Owned.NOTHING).bytes;
    }

    /** With one version of a node taken away and another put in its place; either may be null. */
    Usage replace(Node before, Node after) {
        if (before != null
                && after != null
                && before.permissions().owner() == after.permissions().owner()
                && before.size() == after.size()) {
            return this;
        }
        Map<Integer, Owned> changed = new HashMap<>(byOwner);
        count(changed, before, -1);
        count(changed, after, 1);
        return new Usage(changed);
    }

    /** With a node and everything below it added, or taken away. */
    Usage subtree(Node top, boolean added) {
        Map<Integer, Owned> changed = new HashMap<>(byOwner);
        countAll(changed, top, added ? 1 : -1);
        return new Usage(changed);
    }

    /** With the difference between two others applied. */
    Usage shift(Usage from, Usage to) {
        Map<Integer, Owned> changed = new HashMap<>(byOwner);
        to.byOwner.forEach((domid, o) -> add(changed, domid, o.nodes, o.bytes));
        from.byOwner.forEach((domid, o) -> add(changed, domid, -o.nodes, -o.bytes));
        return new Usage(changed);
    }

    private static void countAll(Map<Integer, Owned> map, Node top, int sign) {
        count(map, top, sign);
        for (int i = 0; i < top.children().size(); i++) {
            countAll(map, top.children().node(i), sign);
        }
    }

    private static void count(Map<Integer, Owned> map, Node node, int sign) {
        if (node != null) {
            add(map, node.permissions().owner(), sign, (long) sign * node.size());
        }
    }

    private static void add(Map<Integer, Owned> map, int domid, int nodes, long bytes) {
        Owned now = map.getOrDefault(domid, Owned.NOTHING).plus(nodes, bytes);
        if (now.equals(Owned.NOTHING)) {
            map.remove(domid);
        } else {
            map.put(domid, now);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Usage u && byOwner.equals(u.byOwner);
    }

    @Override
    public int hashCode() {
        return byOwner.hashCode();
    }

    @Override
    public String toString() {
        return byOwner.toString();
    }
}
