package io.grantwire.vswitch;

/** What the switch puts in front of the type of a frame that leaves a guest for the wire. */
public enum WireTag {
    /** An 802.1Q tag with the sender's VLAN, 1000 and its device number. */
    VLAN,

    /** An 802.1Q tag with VLAN 0, as the original back end did. */
    ZERO,

    /** No tag. */
    NONE
}
