package io.grantwire.vswitch.monitor;

import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.vswitch.ring.GuestRange;
import java.util.Arrays;

/** A mapped mempool of a guest, shared by the devices that started while it was there. */
final class GuestPool {
    private final String key;
    private final long va;
    private final int[] grefs;
    private final GrantMapping mapping;
    private int users;

    GuestPool(String key, long va, int[] grefs, GrantMapping mapping) {
        this.key = key;
        this.va = va;
        this.grefs = grefs;
        this.mapping = mapping;
    }

    boolean is(long va, int[] grefs) {
        return this.va == va && Arrays.equals(this.grefs, grefs);
    }

    int pages() {
        return grefs.length;
    }

    GuestRange range() {
        return new GuestRange(key, va, mapping.segment());
    }

    void retain() {
        users++;
    }

    /** Unmaps it when this was the last user; returns whether it was. */
    boolean release() {
        if (--users > 0) {
            return false;
        }
        mapping.close();
        return true;
    }
}
