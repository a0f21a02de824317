package io.grantwire.pmd.driver.virtio;

import io.grantwire.vfio.PciConfigSpace;
import java.util.OptionalInt;

/**
 * Where a device's structures are: the vendor capabilities of its configuration space (section
 * 4.1.4). The walk is bounded, since a broken device may link them in a ring; what a capability
 * says is checked here against the configuration space, and by the caller against the BAR.
 */
record VirtioPciCapabilities(
        Region common, Region notification, int notifyMultiplier, Region isr, Region device) {
    /** {@code cfg_type}s. */
    private static final int COMMON = 1;

    private static final int NOTIFY = 2;
    private static final int ISR = 3;
    private static final int DEVICE = 4;

    private static final int VENDOR_SPECIFIC = 0x09;
    private static final int CAP_LENGTH = 2;
    private static final int CFG_TYPE = 3;
    private static final int BAR = 4;
    private static final int OFFSET = 8;
    private static final int LENGTH = 12;
    private static final int BYTES = 16;
    private static final int MULTIPLIER = 16;
    private static final int BARS = 6;

    /** As many as there is room for. */
    private static final int MOST = (256 - 64) / 4;

    /** A part of a BAR. */
    record Region(int bar, long offset, long length) {}

    /**
     * Reads the capabilities.
     *
     * @throws IllegalStateException when one that is needed is missing, or wrong; the message says
     *     which
     */
    static VirtioPciCapabilities read(PciConfigSpace config) {
        Region[] regions = new Region[DEVICE + 1];
        int multiplier = 0;
        OptionalInt next = config.findCapability(VENDOR_SPECIFIC);
        for (int hops = 0; next.isPresent() && hops < MOST; hops++) {
            int at = next.getAsInt();
            next = config.nextCapability(VENDOR_SPECIFIC, at);
            int length = config.read8(at + CAP_LENGTH);
            if (length < BYTES || at + length > config.size()) {
                continue;
            }
            int type = config.read8(at + CFG_TYPE);
            int bar = config.read8(at + BAR);
            // The first of a kind counts, the others are there for drivers that cannot use it;
            // reserved kinds and BARs are to be ignored (section 4.1.4.1).
            if (type < COMMON || type > DEVICE || bar >= BARS || regions[type] != null) {
                continue;
            }
            regions[type] =
                    new Region(
                            bar,
                            config.read32(at + OFFSET) & 0xFFFF_FFFFL,
                            config.read32(at + LENGTH) & 0xFFFF_FFFFL);
            if (type == NOTIFY && length >= BYTES + 4) {
                multiplier = config.read32(at + MULTIPLIER);
            }
        }
        return new VirtioPciCapabilities(
                need(regions[COMMON], "common configuration"),
                need(regions[NOTIFY], "notification"),
                multiplier,
                need(regions[ISR], "ISR status"),
                need(regions[DEVICE], "device configuration"));
    }

    private static Region need(Region region, String what) {
        if (region == null) {
            throw new IllegalStateException(
                    "no "
                            + what
                            + " structure; it is a legacy device, or not a virtio device at all");
        }
        return region;
    }
}
