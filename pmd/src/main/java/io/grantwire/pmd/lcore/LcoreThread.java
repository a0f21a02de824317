package io.grantwire.pmd.lcore;

/** A thread with an lcore id; made by {@link Lcores}. */
public final class LcoreThread extends Thread {
    final int lcoreId;

    LcoreThread(int lcoreId, String name, Runnable body) {
        super(null, body, name);
        this.lcoreId = lcoreId;
    }

    /** Its lcore id, 0 to {@link Lcore#MAX} - 1. */
    public int lcoreId() {
        return lcoreId;
    }
}
