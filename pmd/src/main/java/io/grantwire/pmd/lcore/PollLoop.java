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
}
