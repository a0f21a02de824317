package io.grantwire.vswitch.count;

import java.util.Locale;

/**
 * Why a well-formed frame did not reach anybody. Each has a counter at the port where the frame was
 * lost. Malformed rings are another matter, see {@link io.grantwire.vswitch.ring.RejectReason}.
 */
public enum DropReason {
    /** From the wire: no device has the destination address. */
    UNKNOWN_MAC("no device has the destination address"),

    /** From the wire: the destination's device is in another VLAN. */
    VLAN_MISMATCH("the destination's device is in another VLAN"),

    /** From the wire: without a VLAN tag. */
    UNTAGGED("the frame has no VLAN tag"),

    /** From the wire: a group address, and flooding is off, or nobody is in the VLAN. */
    MULTICAST("group addresses are not flooded"),

    /** From a guest: to the device's own address. */
    TO_SELF("the frame is addressed to its sender"),

    /** The guest has no receive buffer left. */
    RING_FULL("the guest has no receive buffer"),

    /** The guest's next receive buffer is smaller than the frame. */
    BUFFER_TOO_SMALL("the guest's receive buffer is too small"),

    /** The destination's port is quarantined. */
    QUARANTINED("the destination is quarantined"),

    /** The destination was removed while the frame was on its way. */
    GONE("the destination has gone"),

    /** The switch's own mempool is empty. */
    NO_MBUF("the switch has no buffer left"),

    /** The uplink takes no more. */
    UPLINK_FULL("the uplink takes no more"),

    /** The other worker that serves the destination does not keep up. */
    WORKER_FULL("the destination's worker does not keep up"),

    /** Shorter than an Ethernet header. */
    FRAME_TOO_SHORT("the frame is shorter than an Ethernet header"),

    /** Longer than the switch carries. */
    FRAME_TOO_LONG("the frame is longer than the switch carries");

    private final String text;

    DropReason(String text) {
        this.text = text;
    }

    /** The reason in words. */
    public String text() {
        return text;
    }

    /** The reason as a name in reports: {@code ring_full}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
