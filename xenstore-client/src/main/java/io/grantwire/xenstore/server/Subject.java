package io.grantwire.xenstore.server;

/** On whose behalf something is done: the answers to permission questions depend on it. */
interface Subject {
    /** The domain's number. */
    int domid();

    /** The domain whose rights this one has as well (SET_TARGET), or -1. */
    int target();

    /** Whether everything is allowed and no quota counts. */
    default boolean privileged() {
        return domid() == 0;
    }

    /** Whether rights given to {@code domid} are this subject's. */
    default boolean actsAs(int domid) {
        return domid == domid() || domid == target();
    }
}
