package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.Memfd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xen.Xen;
import io.grantwire.gntalloc.GrantSharer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Sharing and mapping, the hypervisor's side. Trusts nothing that a domain wrote: every word of a
 * grant entry is read once, checked, and only the checked value used; what is mapped is remembered
 * here and not looked up again.
 *
 * <p>Only the hypervisor's thread uses it.
 */
final class BrokerGrants {
    /** Xen gives up on an entry that keeps changing after this many attempts. */
    private static final int ATTEMPTS = 5;

    private static final int PAGE = GrantSharer.PAGE_SIZE;

    private final Map<Integer, BrokerDomain> domains;
    private final List<BrokerExtent> named = new ArrayList<>();

    BrokerGrants(Map<Integer, BrokerDomain> domains) {
        this.domains = domains;
    }

    /** {@link HypervisorWire#EXTENT_CREATE}. */
    void createExtent(BrokerProcess process, Message in, Message out, Replies replies)
            throws Refusal {
        int pages = in.getCount("pages", 1, HypervisorWire.MAX_EXTENT_PAGES);
        in.end();
        BrokerDomain domain = process.domain();
        domain.takePages(pages);
        try {
            domain.takeDescriptors(1);
        } catch (Refusal e) {
            domain.releasePages(pages);
            throw e;
        }
        int id = process.newId();
        Fd memory;
        try {
            String name = "grantwire-dom" + domain.domid() + "-" + id;
            // Sealed: a peer's mapping can never fault beyond the end.
            memory = Memfd.create(name, (long) pages * PAGE, false, Memfd.fixedSizeSeals());
        } catch (NativeException e) {
            domain.releasePages(pages);
            domain.releaseDescriptors(1);
            throw e;
        }
        long frame = process.newFrames(pages);
        process.addExtent(new BrokerExtent(id, process, memory, frame, pages));
        out.put(id).put((int) frame);
        replies.attach(memory);
    }

    /** {@link HypervisorWire#EXTENT_END}. */
    void endExtent(BrokerProcess process, Message in) throws Refusal {
        int id = in.get();
        in.end();
        BrokerExtent extent = process.removeExtent(id);
        if (extent == null) {
            throw new Refusal(LibC.EINVAL(), "there is no such share");
        }
        extent.end();
    }

    /** {@link HypervisorWire#NOTIFY_ON_END}. */
    void notifyOnEnd(BrokerProcess process, Message in) throws Refusal {
        BrokerExtent extent = process.extent(in.get());
        int offset = in.get();
        in.end();
        if (extent == null
                || offset < HypervisorWire.NO_OFFSET
                || offset >= extent.pages() * PAGE) {
            throw new Refusal(LibC.ENOENT(), "there is no such byte in this share");
        }
        extent.notifyOnEnd(offset);
    }

    /** {@link HypervisorWire#MAP}. */
    void map(BrokerProcess process, Message in, Message out, Replies replies) throws Refusal {
        int domid = in.get();
        boolean writable = (in.get() & HypervisorWire.MAP_WRITABLE) != 0;
        int count = in.getCount("number of grants", 1, HypervisorWire.MAX_GREFS);
        int[] grefs = new int[count];
        for (int i = 0; i < count; i++) {
            grefs[i] = in.get();
        }
        in.end();

        if (!process.domain().mayMap(count)) {
            throw new Refusal(
                    Xen.GNTST_no_device_space(),
                    "GNTST_no_device_space: domain "
                            + process.domain().domid()
                            + " has "
                            + process.domain().pagesMapped()
                            + " pages mapped and "
                            + count
                            + " more exceed its limit");
        }
        BrokerDomain granter = domains.get(domid);
        if (granter == null || granter.processes().isEmpty()) {
            throw new Refusal(
                    Xen.GNTST_bad_domain(), "GNTST_bad_domain: there is no domain " + domid);
        }

        int id = process.newId();
        out.put(id);
        int header = out.position();
        out.put(0).put(0);
        BrokerGrant[] grants = new BrokerGrant[count];
        int pinned = 0;
        int mapped = 0;
        named.clear();
        int runs = 0;
        int runAt = 0;
        int runEnd = 0;
        BrokerExtent runExtent = null;
        try {
            while (mapped < count) {
                BrokerGrant g = pin(granter, process.domain().domid(), grefs[mapped], writable);
                grants[pinned++] = g;
                if (g.extent == runExtent && g.page == runEnd) {
                    runEnd++;
                    out.putAt(runAt, out.getAt(runAt) + 1);
                    mapped++;
                    continue;
                }
                int descriptor = named.indexOf(g.extent);
                if (descriptor < 0) {
                    if (named.size() == HypervisorWire.MAX_DESCRIPTORS) {
                        // The caller asks again for the rest.
                        unpin(grants[--pinned], writable);
                        break;
                    }
                    replies.attach(g.extent.memory(), writable);
                    descriptor = named.size();
                    named.add(g.extent);
                }
                out.put(descriptor).put(g.page);
                runAt = out.position();
                out.put(1);
                runExtent = g.extent;
                runEnd = g.page + 1;
                runs++;
                mapped++;
            }
        } catch (Refusal | RuntimeException e) {
            while (pinned > 0) {
                unpin(grants[--pinned], writable);
            }
            if (e instanceof Refusal r) {
                throw r.at(mapped);
            }
            throw e;
        } finally {
            named.clear();
        }
        out.putAt(header, mapped);
        out.putAt(header + 4, runs);
        process.domain().mapped(mapped);
        process.mappings().put(id, new BrokerMapping(Arrays.copyOf(grants, mapped), writable));
    }

    /** {@link HypervisorWire#UNMAP}. */
    void unmap(BrokerProcess process, Message in) throws Refusal {
        int handle = in.get();
        in.end();
        BrokerMapping mapping = process.mappings().remove(handle);
        if (mapping == null) {
            throw new Refusal(LibC.ENOENT(), "GNTST_bad_handle: there is no such mapping");
        }
        release(process, mapping);
    }

    /** Releases all that a process mapped, then ends all that it shared. */
    void processGone(BrokerProcess process) {
        for (BrokerMapping mapping : process.mappings().values()) {
            release(process, mapping);
        }
        process.mappings().clear();
        for (BrokerExtent extent : process.extents()) {
            process.removeExtent(extent.id());
            extent.end();
        }
        Mapping table = process.table();
        process.markGone();
        table.close();
    }

    private void release(BrokerProcess process, BrokerMapping mapping) {
        for (BrokerGrant grant : mapping.grants()) {
            unpin(grant, mapping.writable());
        }
        process.domain().mapped(-mapping.grants().length);
    }

    /** Checks one grant as Xen's map_grant_ref does and marks it as in use. */
    private BrokerGrant pin(BrokerDomain granter, int mapper, int gref, boolean writable)
            throws Refusal {
        BrokerProcess owner = granter.processOf(gref);
        int ref = owner == null ? 0 : gref % HypervisorWire.GREFS_PER_PROCESS;
        if (owner == null || ref < GrantTableV1.FIRST_USABLE || ref >= owner.tableEntries()) {
            throw new Refusal(
                    Xen.GNTST_bad_gntref(), "GNTST_bad_gntref: no such entry in the grant table");
        }
        MemorySegment table = owner.table().segment();
        setStatus(table, ref, mapper, writable);
        BrokerGrant grant = owner.activeGrant(ref);
        if (grant == null) {
            // Read once, and only now: from here on the grant is what it is.
            long frame = Integer.toUnsignedLong(GrantTableV1.readFrame(table, ref));
            BrokerExtent extent = owner.extentOf(frame);
            if (extent == null) {
                GrantTableV1.clearFlags(table, ref, GrantTableV1.READING | GrantTableV1.WRITING);
                throw new Refusal(
                        Xen.GNTST_bad_page(),
                        "GNTST_bad_page: frame " + frame + " is not the domain's");
            }
            grant = new BrokerGrant(owner, ref, extent, (int) (frame - extent.firstFrame()));
            owner.activeGrant(ref, grant);
            extent.pin();
        } else if (grant.extent.ended()) {
            // Only a domain that rewrites an entry in use gets here.
            clearStatus(grant);
            throw new Refusal(Xen.GNTST_bad_page(), "GNTST_bad_page: the page was released");
        }
        if (writable) {
            grant.writers++;
        } else {
            grant.readers++;
        }
        return grant;
    }

    private static void setStatus(MemorySegment table, int ref, int mapper, boolean writable)
            throws Refusal {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int word = GrantTableV1.readWord(table, ref);
            if ((word & GrantTableV1.TYPE_MASK) != GrantTableV1.PERMIT_ACCESS) {
                throw new Refusal(
                        Xen.GNTST_general_error(), "GNTST_general_error: the page is not granted");
            }
            if (GrantTableV1.domid(word) != mapper) {
                throw new Refusal(
                        Xen.GNTST_general_error(),
                        "GNTST_general_error: the page is granted to domain "
                                + GrantTableV1.domid(word)
                                + ", not to domain "
                                + mapper);
            }
            if (writable && (word & GrantTableV1.READONLY) != 0) {
                throw new Refusal(
                        Xen.GNTST_general_error(),
                        "GNTST_general_error: the page is granted for reading only");
            }
            int used = word | GrantTableV1.READING | (writable ? GrantTableV1.WRITING : 0);
            if (used == word || GrantTableV1.compareAndSetWord(table, ref, word, used)) {
                return;
            }
        }
        throw new Refusal(
                Xen.GNTST_general_error(), "GNTST_general_error: the entry keeps changing");
    }

    private static void unpin(BrokerGrant grant, boolean writable) {
        if (writable) {
            grant.writers--;
        } else {
            grant.readers--;
        }
        if (grant.idle() && !grant.owner.gone()) {
            grant.owner.activeGrant(grant.ref, null);
        }
        clearStatus(grant);
        if (grant.idle()) {
            grant.extent.unpin();
        }
    }

    /** Takes back the bits that no mapping of the grant needs any more. */
    private static void clearStatus(BrokerGrant grant) {
        int done =
                (grant.writers == 0 ? GrantTableV1.WRITING : 0)
                        | (grant.idle() ? GrantTableV1.READING : 0);
        if (done != 0 && !grant.owner.gone()) {
            GrantTableV1.clearFlags(grant.owner.table().segment(), grant.ref, done);
        }
    }
}
