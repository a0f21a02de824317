package io.grantwire.vswitch.monitor;

import io.grantwire.vswitch.ring.RejectReason;

/**
 * What a {@link GuestMonitor} tells of devices that come and go. Called on the monitor's thread
 * only; must not block.
 */
public interface PortHandler {
    /** Whether devices of this guest are wanted. */
    boolean accepts(int domid);

    /**
     * A device is ready: its rings may be polled from now on, until {@link #released} says
     * otherwise.
     *
     * @throws PortException when it is not taken after all, for instance for lack of room
     */
    void attach(GuestPort port);

    /** A device has gone: nobody may begin to poll its rings any more. */
    void detach(GuestPort port);

    /**
     * Whether all pollers have let go of a device after {@link #detach}. Asked again and again
     * until it is so; then the device's memory is unmapped.
     */
    boolean released(GuestPort port);

    /**
     * A guest asked for a device that cannot be served. Called as often as it asks, which a budget
     * bounds.
     *
     * @param text which key or limit, and what is wrong: one line for people
     */
    default void refused(int domid, int index, RejectReason reason, String text) {}

    /** A guest does not ask for a device any more that it asked for before. */
    default void withdrawn(int domid, int index) {}

    /**
     * The devices that were there when the monitor began have been attached or refused. Called
     * once.
     */
    default void settled() {}

    /** Called on every round of the monitor. */
    default void tick() {}
}
