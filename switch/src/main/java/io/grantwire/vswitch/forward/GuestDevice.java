package io.grantwire.vswitch.forward;

import io.grantwire.vswitch.DeviceState;
import io.grantwire.vswitch.count.FrameCounters;
import io.grantwire.vswitch.ring.DeviceRing;
import io.grantwire.vswitch.ring.RejectReason;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A guest's device as the switch serves it: two rings, an address, a VLAN, counters.
 *
 * <p>Rings and working fields belong to the one worker that serves the device. Counters and {@link
 * #state()} may be read by any thread. A device that the guest starts anew is a new object.
 */
public final class GuestDevice {
    private static final VarHandle FAULT;

    static {
        try {
            FAULT = MethodHandles.lookup().findVarHandle(GuestDevice.class, "fault", String.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int domid;
    private final int index;
    private final long mac;
    private final FrameCounters txCounters = new FrameCounters();
    private final FrameCounters rxCounters = new FrameCounters();

    final int number;
    final int token;
    final int worker;
    final DeviceRing rx;
    final DeviceRing tx;

    /** Whether the rings are served; the worker's own view of {@link #fault}. */
    boolean serving = true;

    /** Frames of the current burst that are for this guest. */
    final int[] box = new int[FrameSource.BURST];

    int boxed;

    /** For frames that wait for a receive buffer. */
    final HoldTimer hold = new HoldTimer();

    /** Frames copied to the guest that it has not been told of, and their bytes. */
    int unpublished;

    long unpublishedBytes;

    private RejectReason reject;

    @SuppressWarnings("unused")
    private String fault;

    /**
     * @param domid the guest
     * @param index the device's number in the guest
     * @param mac its address, first octet in bits 47 to 40
     * @param number the device's number in this switch
     * @param token a number that no other device of this switch had; see {@link Topology}
     * @param worker the worker that serves it
     * @param rx its receive ring
     * @param tx its transmit ring
     */
    public GuestDevice(
            int domid,
            int index,
            long mac,
            int number,
            int token,
            int worker,
            DeviceRing rx,
            DeviceRing tx) {
        this.domid = domid;
        this.index = index;
        this.mac = mac;
        this.number = number;
        this.token = token;
        this.worker = worker;
        this.rx = rx;
        this.tx = tx;
    }

    /** The guest. */
    public int domid() {
        return domid;
    }

    /** The device's number in the guest. */
    public int index() {
        return index;
    }

    /** Its address, first octet in bits 47 to 40. */
    public long mac() {
        return mac;
    }

    /** The device's number in this switch; the original's {@code device_fh}. */
    public int number() {
        return number;
    }

    /** Its VLAN. */
    public int vlan() {
        return ForwardingRules.FIRST_VLAN + number;
    }

    /** The worker that serves it. */
    public int worker() {
        return worker;
    }

    /** Frames from the guest. */
    public FrameCounters txCounters() {
        return txCounters;
    }

    /** Frames to the guest. */
    public FrameCounters rxCounters() {
        return rxCounters;
    }

    /** Whether it is served. */
    public DeviceState state() {
        return fault() == null ? DeviceState.READY : DeviceState.QUARANTINED;
    }

    /** Why it is quarantined, in words; null while it is served. */
    public String fault() {
        return (String) FAULT.getAcquire(this);
    }

    /** The rule that it broke; null while it is served, or when the fault is the switch's. */
    public RejectReason reject() {
        return fault() == null ? null : reject;
    }

    /** Tells the guest of frames copied to it one by one; the worker only. */
    void publish() {
        rx.publish();
        rxCounters.count(unpublished, unpublishedBytes);
        unpublished = 0;
        unpublishedBytes = 0;
    }

    /** Stops serving it when one of its rings broke a rule; the worker only. */
    void checkRings() {
        RejectReason reason = rx.violation() != null ? rx.violation() : tx.violation();
        if (reason != null && serving) {
            quarantine(
                    reason, (reason == rx.violation() ? "rx ring: " : "tx ring: ") + reason.text());
        }
    }

    /** Stops serving it; the worker only. */
    void quarantine(RejectReason reason, String text) {
        serving = false;
        reject = reason;
        // Pairs with the acquire in fault(), after which reject may be read.
        FAULT.setRelease(this, text);
    }
}
