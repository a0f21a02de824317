package io.grantwire.pmd.lcore;

/** What a polling thread does over and over. */
@FunctionalInterface
public interface PollLoop {
    /**
     * One round over everything the thread polls; must return soon, whether or not there was work.
     *
     * @return the work done, for instance packets moved; 0 when there was nothing to do
     */
    int poll();

    /**
     * Asked when {@link #poll} ended with the JVM's report of an access to memory that is not there
     * any more: a device's registers, or a file that was cut short. It comes late, out of whatever
     * was done next.
     *
     * @return whether the loop knows what it was and can go on; otherwise the lcore ends
     */
    default boolean survives(InternalError fault) {
        return false;
    }
}
