package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.vfio.Bar;
import io.grantwire.vfio.PciDevice;

/**
 * The registers of a virtio device on the PCI bus: common configuration, notification, ISR status
 * (sections 4.1.4.3 to 4.1.4.5), and reads of the device's own configuration (4.1.4.6). Control
 * path, one thread at a time, but for {@link #doorbell} and what is written there.
 */
final class VirtioPciTransport {
    // struct virtio_pci_common_cfg, section 4.1.4.3.

    private static final int DEVICE_FEATURE_SELECT = 0;
    private static final int DEVICE_FEATURE = 4;
    private static final int DRIVER_FEATURE_SELECT = 8;
    private static final int DRIVER_FEATURE = 12;
    private static final int CONFIG_MSIX_VECTOR = 16;
    private static final int NUM_QUEUES = 18;
    private static final int DEVICE_STATUS = 20;
    private static final int CONFIG_GENERATION = 21;
    private static final int QUEUE_SELECT = 22;
    private static final int QUEUE_SIZE = 24;
    private static final int QUEUE_MSIX_VECTOR = 26;
    private static final int QUEUE_ENABLE = 28;
    private static final int QUEUE_NOTIFY_OFF = 30;
    private static final int QUEUE_DESC = 32;
    private static final int QUEUE_DRIVER = 40;
    private static final int QUEUE_DEVICE = 48;
    private static final int COMMON_BYTES = 56;

    /** No MSI-X vector. */
    static final int NO_VECTOR = 0xFFFF;

    // Bits of device_status, section 2.1.

    static final int ACKNOWLEDGE = 1;
    static final int DRIVER = 2;
    static final int DRIVER_OK = 4;
    static final int FEATURES_OK = 8;
    static final int DEVICE_NEEDS_RESET = 64;
    static final int FAILED = 128;

    private static final int ATTEMPTS = 10;
    private static final long RESET_NANOS = 1_000_000_000L;

    private final VirtioPciCapabilities at;
    private final CardRegisters common;
    private final CardRegisters notify;
    private final CardRegisters isr;
    private final CardRegisters device;
    private final long base;

    /**
     * @param name of the port, for messages
     * @throws IllegalStateException when the device's structures are not where they should be
     * @throws io.grantwire.vfio.PciException when its BARs cannot be mapped
     */
    VirtioPciTransport(String name, PciDevice pci) {
        at = VirtioPciCapabilities.read(pci.config());
        CardRegisters[] bars = new CardRegisters[6];
        common = registers(name, pci, bars, at.common(), COMMON_BYTES, "common configuration");
        notify = registers(name, pci, bars, at.notification(), 2, "notification");
        isr = registers(name, pci, bars, at.isr(), 1, "ISR status");
        device = registers(name, pci, bars, at.device(), 8, "device configuration");
        base = at.common().offset();
    }

    private static CardRegisters registers(
            String name,
            PciDevice pci,
            CardRegisters[] bars,
            VirtioPciCapabilities.Region region,
            int least,
            String what) {
        Bar bar = pci.bar(region.bar());
        if (region.length() < least
                || region.offset() > bar.size()
                || region.length() > bar.size() - region.offset()) {
            throw new IllegalStateException(
                    "its "
                            + what
                            + " structure ("
                            + region.length()
                            + " bytes at "
                            + region.offset()
                            + ") is too short, or not within BAR "
                            + region.bar());
        }
        if (bars[region.bar()] == null) {
            bars[region.bar()] = new CardRegisters(name, pci, bar);
        }
        return bars[region.bar()];
    }

    /** Whether the card has gone; any thread. */
    boolean gone() {
        return common.gone() || notify.gone();
    }

    /** Asks the bus whether the card is there, and says it once if not. */
    boolean check() {
        if (gone()) {
            common.lose();
        }
        return common.check();
    }

    /** See {@link CardRegisters#retire}. */
    void retire() {
        common.retire();
        notify.retire();
        isr.retire();
        device.retire();
    }

    // Status and features.

    /** {@code device_status}; 0 when the card has gone. */
    int status() {
        int status = common.read8(base + DEVICE_STATUS);
        return gone() || status == 0xFF && !check() ? 0 : status;
    }

    void addStatus(int bits) {
        common.write8(base + DEVICE_STATUS, status() | bits);
    }

    /**
     * Resets the device, and waits until it has forgotten its queues (section 4.1.4.3.2).
     *
     * @return false when it did not in time
     */
    boolean reset() {
        common.write8(base + DEVICE_STATUS, 0);
        long end = System.nanoTime() + RESET_NANOS;
        while (status() != 0) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Pause.millis(1);
        }
        return true;
    }

    long offered() {
        common.write(base + DEVICE_FEATURE_SELECT, 0);
        long low = common.read(base + DEVICE_FEATURE) & 0xFFFF_FFFFL;
        common.write(base + DEVICE_FEATURE_SELECT, 1);
        return low | (long) common.read(base + DEVICE_FEATURE) << 32;
    }

    /** Tells the device which features are used; false when it does not take them. */
    boolean accept(long features) {
        common.write(base + DRIVER_FEATURE_SELECT, 0);
        common.write(base + DRIVER_FEATURE, (int) features);
        common.write(base + DRIVER_FEATURE_SELECT, 1);
        common.write(base + DRIVER_FEATURE, (int) (features >>> 32));
        addStatus(FEATURES_OK);
        return (status() & FEATURES_OK) != 0;
    }

    // Queues.

    int queues() {
        return common.read16(base + NUM_QUEUES);
    }

    /** The largest size of a queue; 0 when there is no such queue. */
    int queueSize(int queue) {
        common.write16(base + QUEUE_SELECT, queue);
        return gone() ? 0 : common.read16(base + QUEUE_SIZE);
    }

    /**
     * Gives the device a queue.
     *
     * @param vector MSI-X vector, or {@link #NO_VECTOR}
     * @return whether it took the vector
     */
    boolean enableQueue(int queue, int size, long desc, long driver, long used, int vector) {
        common.write16(base + QUEUE_SELECT, queue);
        common.write16(base + QUEUE_SIZE, size);
        common.write16(base + QUEUE_MSIX_VECTOR, vector);
        boolean taken = common.read16(base + QUEUE_MSIX_VECTOR) == vector;
        write64(QUEUE_DESC, desc);
        write64(QUEUE_DRIVER, driver);
        write64(QUEUE_DEVICE, used);
        common.write16(base + QUEUE_ENABLE, 1);
        return taken;
    }

    private void write64(int field, long value) {
        common.write(base + field, (int) value);
        common.write(base + field + 4, (int) (value >>> 32));
    }

    void setConfigVector(int vector) {
        common.write16(base + CONFIG_MSIX_VECTOR, vector);
    }

    /**
     * Where to write a queue's number to notify the device (section 4.1.4.4).
     *
     * @throws IllegalStateException when that is outside its structure
     */
    long doorbell(int queue) {
        common.write16(base + QUEUE_SELECT, queue);
        long offset =
                (common.read16(base + QUEUE_NOTIFY_OFF) & 0xFFFFL)
                        * (at.notifyMultiplier() & 0xFFFF_FFFFL);
        if (!gone() && (offset + 2 > at.notification().length() || (offset & 1) != 0)) {
            throw new IllegalStateException(
                    "its doorbell of queue " + queue + " is outside its notification structure");
        }
        return at.notification().offset() + offset;
    }

    /** The registers that {@link #doorbell} is in. */
    CardRegisters doorbells() {
        return notify;
    }

    /** Reads the ISR status, which takes the interrupt line back. */
    int readIsr() {
        return isr.read8(at.isr().offset());
    }

    // The device's configuration.

    /**
     * Reads bytes of the device's configuration, all of one generation (section 4.1.4.3.1).
     *
     * @return the bytes, little endian in one number; zero where the structure ends earlier
     */
    long readConfig(int offset, int bytes) {
        long value = 0;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int generation = common.read8(base + CONFIG_GENERATION);
            value = 0;
            for (int i = 0; i < bytes && offset + i < at.device().length(); i++) {
                value |= (long) device.read8(at.device().offset() + offset + i) << 8 * i;
            }
            if (gone() || common.read8(base + CONFIG_GENERATION) == generation) {
                break;
            }
        }
        return value;
    }
}
