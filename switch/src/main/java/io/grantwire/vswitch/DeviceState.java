package io.grantwire.vswitch;

/** What becomes of a guest's device in the switch. */
public enum DeviceState {
    /** Its rings are served. */
    READY,

    /** It broke the rules; nothing of it is touched until the guest starts it anew. */
    QUARANTINED
}
