package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePermission;
import java.util.ArrayList;
import java.util.List;

/**
 * A node's permission list, immutable and never empty. The first entry names the owner, who may do
 * everything, and says what all domains without an entry of their own may do; the first other entry
 * that fits a domain decides for it. Semantics: {@code docs/misc/xenstore.txt} of the Xen tree.
 */
record Permissions(List<XenstorePermission> entries) {
    static final int NONE = 0;
    static final int READ = 1;
    static final int WRITE = 2;
    static final int OWNER = 4;

    /** From here on, domain ids have special meanings and are no domains (DOMID_FIRST_RESERVED). */
    static final int FIRST_RESERVED_DOMID = 0x7ff0;

    /** What the store starts with: domain 0 owns it, nobody else may do anything. */
    static final Permissions PRIVATE =
            new Permissions(List.of(new XenstorePermission(0, false, false)));

    Permissions {
        entries = List.copyOf(entries);
        if (entries.isEmpty()) {
            throw new IllegalArgumentException("a permission list has at least the owner's entry");
        }
    }

    /** The list from its wire form. */
    static Permissions parse(List<String> texts) throws StoreError {
        List<XenstorePermission> entries = new ArrayList<>(texts.size());
        for (String text : texts) {
            try {
                entries.add(XenstorePermission.parse(text));
            } catch (IllegalArgumentException e) {
                throw new StoreError(StoreErrno.EINVAL);
            }
        }
        if (entries.isEmpty()) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        return new Permissions(entries);
    }

    int owner() {
        return entries.getFirst().domid();
    }

    int size() {
        return entries.size();
    }

    /** What the subject may do: the bits READ, WRITE and OWNER. */
    int of(Subject subject) {
        if (subject.privileged() || subject.actsAs(owner())) {
            return READ | WRITE | OWNER;
        }
        for (int i = 1; i < entries.size(); i++) {
            if (subject.actsAs(entries.get(i).domid())) {
                return bits(entries.get(i));
            }
        }
        return bits(entries.getFirst());
    }

    boolean readableBy(Subject subject) {
        return (of(subject) & READ) != 0;
    }

    /**
     * The same rights with another owner: what a node inherits when an unprivileged domain made it.
     */
    Permissions ownedBy(int domid) {
        if (domid == owner()) {
            return this;
        }
        List<XenstorePermission> changed = new ArrayList<>(entries);
        XenstorePermission first = entries.getFirst();
        changed.set(0, new XenstorePermission(domid, first.read(), first.write()));
        return new Permissions(changed);
    }

    /** Whether an entry other than the owner's is about the domain. */
    boolean lists(int domid) {
        return entries.stream().skip(1).anyMatch(p -> p.domid() == domid);
    }

    /** Without the entries about a domain, the owner's excepted. */
    Permissions without(int domid) {
        List<XenstorePermission> left = new ArrayList<>(entries.size());
        left.add(entries.getFirst());
        entries.stream().skip(1).filter(p -> p.domid() != domid).forEach(left::add);
        return new Permissions(left);
    }

    List<String> texts() {
        return entries.stream().map(XenstorePermission::toString).toList();
    }

    private static int bits(XenstorePermission p) {
        return (p.read() ? READ : NONE) | (p.write() ? WRITE : NONE);
    }
}
