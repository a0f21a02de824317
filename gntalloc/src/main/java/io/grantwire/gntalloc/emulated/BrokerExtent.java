package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.gntalloc.GrantSharer;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Memory that the hypervisor made for a domain: some pages in one sealed file, of which the domain
 * may grant each. Only the hypervisor's thread uses it.
 */
final class BrokerExtent {
    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
    private static final int PAGE = GrantSharer.PAGE_SIZE;

    private final int id;
    private final BrokerProcess owner;
    private final Fd memory;
    private final long firstFrame;
    private final int pages;

    // The page with the byte to clear, mapped while there is one.
    private Mapping notifyPage;
    private int notifyByte;

    private int pinnedPages;
    private boolean ended;

    BrokerExtent(int id, BrokerProcess owner, Fd memory, long firstFrame, int pages) {
        this.id = id;
        this.owner = owner;
        this.memory = memory;
        this.firstFrame = firstFrame;
        this.pages = pages;
    }

    int id() {
        return id;
    }

    Fd memory() {
        return memory;
    }

    long firstFrame() {
        return firstFrame;
    }

    long endFrame() {
        return firstFrame + pages;
    }

    int pages() {
        return pages;
    }

    boolean ended() {
        return ended;
    }

    /** Remembers to clear a byte at the end, instead of any remembered before; negative cancels. */
    void notifyOnEnd(int offset) {
        Mapping fresh = null;
        if (offset >= 0) {
            int prot = Mapping.READ | Mapping.WRITE;
            fresh = Mapping.shared(memory, offset / PAGE * (long) PAGE, PAGE, prot);
        }
        closeNotifyPage();
        notifyPage = fresh;
        notifyByte = offset % PAGE;
    }

    /** One more page of it is mapped by a peer. */
    void pin() {
        pinnedPages++;
    }

    /** A page of it is no longer mapped by any peer. */
    void unpin() {
        pinnedPages--;
        settle();
    }

    /**
     * The domain has let go of it. The byte is cleared now; the pages count as the domain's until
     * no peer has any of them mapped.
     */
    void end() {
        if (ended) {
            return;
        }
        ended = true;
        if (notifyPage != null) {
            // Pairs with the acquire load of whoever watches the byte.
            BYTE.setRelease(notifyPage.segment(), (long) notifyByte, (byte) 0);
        }
        closeNotifyPage();
        memory.close();
        owner.domain().releaseDescriptors(1);
        settle();
    }

    private void settle() {
        if (ended && pinnedPages == 0) {
            owner.domain().releasePages(pages);
        }
    }

    private void closeNotifyPage() {
        if (notifyPage != null) {
            notifyPage.close();
            notifyPage = null;
        }
    }
}
