package io.grantwire.vfio.bind;

import io.grantwire.vfio.PciFunction;
import java.util.Arrays;
import java.util.List;

/**
 * The kinds of devices that user-space drivers are made for, told apart as dpdk-devbind does: by
 * base class, and where a class says too little by vendor and device. A device may be of several.
 */
public enum DeviceCategory {
    /** Network cards. */
    NET(
            "Network",
            Rule.of(0x02),
            Rule.of(0x08, 0x177d, 0xa0dd, 0xa049),
            Rule.of(0x05, 0x1af4, 0x1110),
            Rule.of(0x12, 0x8086, 0x0b30)),
    /** Wireless baseband and other processing accelerators. */
    BASEBAND("Baseband", Rule.of(0x12)),
    /** Encryption controllers, and Intel's coprocessors. */
    CRYPTO("Crypto", Rule.of(0x10), Rule.of(0x0b, 0x8086)),
    /** Engines that copy memory. */
    DMA(
            "DMA",
            Rule.of(0x08, 0x177d, 0xa081, 0xa08c),
            Rule.of(0x08, 0x19e5, 0xa122),
            Rule.of(
                    0x08, 0x8086, 0x6f20, 0x6f21, 0x6f22, 0x6f23, 0x6f24, 0x6f25, 0x6f26, 0x6f27,
                    0x6f2e, 0x6f2f, 0x2021, 0x0b00, 0x0b25, 0x11fb, 0x1212)),
    /** Event schedulers. */
    EVENT(
            "Eventdev",
            Rule.of(0x08, 0x177d, 0xa04b, 0xa04d, 0xa051, 0xa0f9, 0xa0fa),
            Rule.of(0x0b, 0x8086, 0x270b, 0x2710, 0x2714)),
    /** Buffer managers. */
    MEMPOOL("Mempool", Rule.of(0x08, 0x177d, 0xa053, 0xa0fb, 0xa0fc)),
    /** Compression engines. */
    COMPRESS("Compress", Rule.of(0x12, 0x177d, 0xa037)),
    /** What fits nowhere else, virtio block devices for one. */
    MISC(
            "Misc (rawdev)",
            Rule.of(0x08, 0x177d, 0xa089, 0xa059, 0xa060, 0xa0f0, 0xa0f1),
            Rule.of(0x06, 0x8086, 0x201c, 0x347e),
            Rule.of(0x01, 0x1af4, 0x1001, 0x1042)),
    /** Pattern matchers. */
    REGEX("Regex", Rule.of(0x08, 0x177d, 0xa0f4)),
    /** Inference engines. */
    ML("ML", Rule.of(0x08, 0x177d, 0xa092));

    /**
     * One way to belong: the base class, and where given the vendor and one of some devices.
     *
     * @param vendor -1 for any
     * @param devices empty for any
     */
    private record Rule(int baseClass, int vendor, int... devices) {
        static Rule of(int baseClass) {
            return new Rule(baseClass, -1);
        }

        static Rule of(int baseClass, int vendor, int... devices) {
            return new Rule(baseClass, vendor, devices);
        }

        boolean fits(PciFunction f) {
            return f.classCode() >>> 16 == baseClass
                    && (vendor < 0 || vendor == f.vendor())
                    && (devices.length == 0
                            || Arrays.stream(devices).anyMatch(d -> d == f.device()));
        }
    }

    private final String title;
    private final List<Rule> rules;

    DeviceCategory(String title, Rule... rules) {
        this.title = title;
        this.rules = List.of(rules);
    }

    /** What the status calls it. */
    public String title() {
        return title;
    }

    /** Whether a device is of this kind. */
    public boolean contains(PciFunction function) {
        return rules.stream().anyMatch(rule -> rule.fits(function));
    }
}
