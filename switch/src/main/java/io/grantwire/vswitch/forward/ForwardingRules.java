package io.grantwire.vswitch.forward;

import io.grantwire.vswitch.WireTag;

/**
 * How a switch forwards; the same for all of its workers.
 *
 * @param vm2vm whether frames go from guest to guest; otherwise all go to the wire
 * @param flood whether group addresses reach guests
 * @param vlanStrip whether the VLAN tag is taken off frames for guests
 * @param wireTag what frames for the wire are tagged with
 * @param holdNanos how long a frame waits for a destination that makes no progress; 0 drops at once
 * @param coalesceNanos how long frames from a busy wire may wait for more, so that each of many
 *     guests gets several at once; 0 for not at all
 * @param maxFrame longest frame carried, in bytes without CRC and without the tag added here
 */
public record ForwardingRules(
        boolean vm2vm,
        boolean flood,
        boolean vlanStrip,
        WireTag wireTag,
        long holdNanos,
        long coalesceNanos,
        int maxFrame) {
    /** VLAN of device 0. */
    public static final int FIRST_VLAN = 1000;
}
