package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.MemorySegment;

/**
 * This process's grant table, the granting side: which references are free, and writing their
 * entries. A reference whose page a peer still has mapped is set aside until the peer lets go.
 * Thread-safe.
 */
final class GrantTable {
    private final Mapping mapping;
    private final MemorySegment table;
    private final int base;
    private final int[] free;
    private int freeCount;
    private final int[] busy;
    private int busyCount;

    /**
     * @param mapping the shared table; owned by the caller
     * @param base number of its first reference
     * @param entries how many it has
     */
    GrantTable(Mapping mapping, int base, int entries) {
        this.mapping = mapping;
        this.table = mapping.segment();
        this.base = base;
        int usable = entries - GrantTableV1.FIRST_USABLE;
        this.free = new int[usable];
        this.busy = new int[usable];
        // The lowest on top, as on a freshly booted guest.
        for (int ref = entries - 1; ref >= GrantTableV1.FIRST_USABLE; ref--) {
            free[freeCount++] = ref;
        }
    }

    /** The shared memory, for tests that play a hostile guest. */
    Mapping mapping() {
        return mapping;
    }

    /**
     * Takes references out of the free ones; they grant nothing yet.
     *
     * @throws NativeException ENOSPC when there are not enough
     */
    synchronized int[] take(int count) {
        if (count > freeCount) {
            reclaim();
        }
        if (count > freeCount) {
            throw new NativeException(
                    "share " + count + " pages",
                    LibC.ENOSPC(),
                    freeCount
                            + " grant references are free and "
                            + busyCount
                            + " still mapped by peers; close shares, or start the emulated host"
                            + " with a larger limit");
        }
        int[] grefs = new int[count];
        for (int i = 0; i < count; i++) {
            grefs[i] = base + free[--freeCount];
        }
        return grefs;
    }

    /** Makes a reference grant a page. */
    void grant(int gref, int domid, int frame, boolean writable) {
        GrantTableV1.publish(table, gref - base, domid, frame, writable);
    }

    /** Ends grants, or gives back references that never granted anything. */
    synchronized void end(int[] grefs) {
        // From the last, so that the next share gets them in the same order.
        for (int i = grefs.length - 1; i >= 0; i--) {
            int ref = grefs[i] - base;
            if (GrantTableV1.revoke(table, ref)) {
                free[freeCount++] = ref;
            } else {
                busy[busyCount++] = ref;
            }
        }
    }

    /** References that cannot be used now because a peer has the page mapped. */
    synchronized int stillMapped() {
        reclaim();
        return busyCount;
    }

    private void reclaim() {
        int kept = 0;
        for (int i = 0; i < busyCount; i++) {
            int ref = busy[i];
            if (GrantTableV1.inUse(table, ref)) {
                busy[kept++] = ref;
            } else {
                free[freeCount++] = ref;
            }
        }
        busyCount = kept;
    }
}
