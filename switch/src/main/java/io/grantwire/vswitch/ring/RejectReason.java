package io.grantwire.vswitch.ring;

import java.util.Locale;

/**
 * The rule book: everything a correct front end never does. Each rule has a counter in the
 * statistics of the switch and a test of its name in RuleBookTest.
 *
 * <p>Breaking a rule of {@link Kind#RING} while it is served quarantines the device: it is not
 * touched again until the guest starts it anew, or the operator releases it. Breaking one of {@link
 * Kind#SETUP} keeps a device from being served in the first place. Either way nobody else notices.
 *
 * <p>The advisories named are cases of the same class in other back ends.
 */
public enum RejectReason {
    /**
     * {@code avail.idx} runs further ahead than the ring is long (Linux 48856286, XSA-39: garbage
     * indices made a back end loop).
     */
    AVAIL_IDX_JUMP(Kind.RING, "avail.idx is more than one ring ahead"),

    /** An entry of {@code avail.ring} is not a descriptor's number (CVE-2026-86846). */
    HEAD_OUT_OF_RANGE(Kind.RING, "an avail ring entry is beyond the descriptor table"),

    /** {@code desc.next} is not a descriptor's number (CVE-2020-10723, CVE-2026-86846). */
    NEXT_OUT_OF_RANGE(Kind.RING, "a descriptor's next is beyond the descriptor table"),

    /** A chain has more hops than the ring has descriptors (CVE-2026-86847). */
    CHAIN_LOOP(Kind.RING, "a descriptor chain loops"),

    /** An indirect descriptor, which nobody negotiated (CVE-2026-93683). */
    INDIRECT(Kind.RING, "a descriptor is indirect"),

    /** A receive buffer that the device may not write. */
    NOT_WRITABLE(Kind.RING, "a receive descriptor lacks the WRITE flag"),

    /** A transmit buffer that the device may not read. */
    NOT_READABLE(Kind.RING, "a transmit descriptor has the WRITE flag"),

    /**
     * A chain with no room beyond the 10-byte header (CVE-2022-2132, CVE-2026-86566: runt chains
     * made lengths underflow).
     */
    CHAIN_TOO_SHORT(Kind.RING, "a descriptor chain is not longer than the header"),

    /** A chain of more bytes than {@link DeviceRing#MAX_CHAIN_BYTES} (CVE-2020-10724). */
    CHAIN_TOO_LONG(Kind.RING, "a descriptor chain has too many bytes"),

    /** A buffer whose address is in none of the guest's pools (CVE-2018-1059). */
    ADDRESS_UNKNOWN(Kind.RING, "a buffer is outside every mempool"),

    /** A buffer that begins in a pool and ends outside of it (CVE-2018-1059, CVE-2020-10722). */
    ADDRESS_OVERRUN(Kind.RING, "a buffer runs past the end of its mempool"),

    /** A key that the device needs is not there. */
    KEY_MISSING(Kind.SETUP, "a key is missing"),

    /**
     * A key's value cannot be parsed or is out of range, at either end (CVE-2026-45890: a zero
     * where a count was expected).
     */
    KEY_MALFORMED(Kind.SETUP, "a key's value makes no sense"),

    /** The store refuses to give a key, for instance one larger than a reply. */
    KEY_UNREADABLE(Kind.SETUP, "a key cannot be read"),

    /** Index pages that list no grant, or end before the last one. */
    INDEX_PAGE(Kind.SETUP, "an index page lists no grants"),

    /**
     * A grant that cannot be mapped: foreign, revoked, or never made (XSA-361, XSA-362, XSA-365:
     * such failures were taken for impossible; CVE-2022-50257: a partly failed map leaked).
     */
    GRANT_REFUSED(Kind.SETUP, "a grant cannot be mapped"),

    /** A ring of fewer pages than its layout needs (CVE-2026-86565). */
    RING_TOO_SMALL(Kind.SETUP, "a ring has too few pages"),

    /** The device's address is zero or a group's. */
    MAC_INVALID(Kind.SETUP, "the address is no station's"),

    /** An address that this guest may not have, because somebody else may or it has others. */
    MAC_NOT_ALLOWED(Kind.SETUP, "the address is not this guest's"),

    /** The flag byte is zero: nobody is there. */
    FLAG_DOWN(Kind.SETUP, "the flag byte is zero"),

    /** The guest has no mempool. */
    POOL_MISSING(Kind.SETUP, "the guest has no mempool"),

    /** Two pools have an address in common. */
    POOL_OVERLAP(Kind.SETUP, "mempools overlap"),

    /** A pool wraps around the end of the address space (CVE-2020-10722). */
    POOL_WRAP(Kind.SETUP, "a mempool wraps around the address space"),

    /**
     * More pages than one guest may have mapped (CVE-2019-14818, CVE-2020-10726: what a peer can
     * ask for again and again must be bounded).
     */
    TOO_MANY_PAGES(Kind.SETUP, "the guest's mempools have too many pages"),

    /** More devices than one guest, or the switch, may have. */
    TOO_MANY_DEVICES(Kind.SETUP, "there are too many devices");

    /** When a rule is checked. */
    public enum Kind {
        /** Whenever a ring is polled. */
        RING,
        /** When a device starts. */
        SETUP
    }

    private static final RejectReason[] VALUES = values();

    private final Kind kind;
    private final String text;

    RejectReason(Kind kind, String text) {
        this.kind = kind;
        this.text = text;
    }

    /** When the rule is checked. */
    public Kind kind() {
        return kind;
    }

    /** The reason in words, for log lines and reports. */
    public String text() {
        return text;
    }

    /** The reason as a name in reports: {@code avail_idx_jump}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
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
