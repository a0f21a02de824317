package io.grantwire.vswitch.monitor;

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

    /** Called on every round of the monitor. */
    default void tick() {}
}
