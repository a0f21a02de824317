package io.grantwire.vswitch.ring;

/**
 * Why a guest's ring was refused. Each is something a correct front end never does, so the first
 * one quarantines the port: it is not served again until the guest starts the device anew. Other
 * ports do not notice.
 *
 * <p>The advisories named are cases of the same class in other back ends.
 */
public enum RejectReason {
    /**
     * {@code avail.idx} runs further ahead than the ring is long (Linux 48856286, XSA-39: garbage
     * indices made a back end loop).
     */
    AVAIL_IDX_JUMP("avail.idx is more than one ring ahead"),

    /** An entry of {@code avail.ring} is not a descriptor's number (CVE-2026-86846). */
    HEAD_OUT_OF_RANGE("an avail ring entry is beyond the descriptor table"),

    /** {@code desc.next} is not a descriptor's number (CVE-2020-10723, CVE-2026-86846). */
    NEXT_OUT_OF_RANGE("a descriptor's next is beyond the descriptor table"),

    /** A chain has more hops than the ring has descriptors (CVE-2026-86847). */
    CHAIN_LOOP("a descriptor chain loops"),

    /** An indirect descriptor, which nobody negotiated (CVE-2026-93683). */
    INDIRECT("a descriptor is indirect"),

    /** A receive buffer that the device may not write. */
    NOT_WRITABLE("a receive descriptor lacks the WRITE flag"),

    /** A transmit buffer that the device may not read. */
    NOT_READABLE("a transmit descriptor has the WRITE flag"),

    /**
     * A chain with no room beyond the 10-byte header (CVE-2022-2132, CVE-2026-86566: runt chains
     * made lengths underflow).
     */
    CHAIN_TOO_SHORT("a descriptor chain is not longer than the header"),

    /** A chain of more bytes than {@link DeviceRing#MAX_CHAIN_BYTES}. */
    CHAIN_TOO_LONG("a descriptor chain has too many bytes"),

    /** A buffer whose address is in none of the guest's pools (CVE-2018-1059). */
    ADDRESS_UNKNOWN("a buffer is outside every mempool"),

    /** A buffer that begins in a pool and ends outside of it (CVE-2018-1059, CVE-2020-10722). */
    ADDRESS_OVERRUN("a buffer runs past the end of its mempool");

    private static final RejectReason[] VALUES = values();

    private final String text;

    RejectReason(String text) {
        this.text = text;
    }

    /** The reason in words, for log lines and reports. */
    public String text() {
        return text;
    }

    /** How a reason travels in a result that is otherwise not negative; no allocation. */
    static long encode(RejectReason reason) {
        return ~(long) reason.ordinal();
    }

    /** The reason in a negative result. */
    public static RejectReason decode(long negative) {
        return VALUES[(int) ~negative];
    }
}
