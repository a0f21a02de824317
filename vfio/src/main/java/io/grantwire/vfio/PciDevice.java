package io.grantwire.vfio;

/**
 * A PCI function that this process drives, taken from the kernel through VFIO or UIO; {@link
 * PciDevices#open} makes one.
 *
 * <p>Ownership: it owns its BARs, its interrupts and its place in the {@link DmaSpace}, and frees
 * them on {@link #close}; DMA memory belongs to whoever allocated it. Before close the device must
 * be quiet: no polling thread in its registers, no DMA under way ({@link #reset} or {@link
 * #setBusMaster} sees to the latter).
 *
 * <p>Threads: control methods from one thread at a time; registers of a {@link Bar} from any.
 *
 * <p>A device that is unplugged, or unbound under us, reads as all ones or faults: an access to a
 * mapped BAR may then throw {@link InternalError} (the JVM's answer to SIGBUS). A driver has to
 * take either for "gone", see {@link #isGone}.
 */
public interface PciDevice extends AutoCloseable {
    /** Where it sits. */
    PciAddress address();

    /** What sysfs said of it when it was opened. */
    PciFunction function();

    /** The kernel driver it is held through: {@code vfio-pci}, {@code uio_pci_generic}. */
    String kernelDriver();

    /** Its configuration space. */
    PciConfigSpace config();

    /**
     * A memory BAR, mapped at the first call.
     *
     * @param index 0 to 5
     * @throws PciException when there is no such BAR, when it is an I/O one, or cannot be mapped
     */
    Bar bar(int index);

    /**
     * Memory that the device can reach, and its addresses as the device sees them. Devices that see
     * the same addresses share one.
     */
    DmaSpace dma();

    /** Its interrupts; none is enabled at first. */
    PciInterrupts interrupts();

    /**
     * Allows or forbids the device to read and write memory by itself (bus mastering).
     *
     * @throws PciException when the configuration space cannot be written
     */
    void setBusMaster(boolean on);

    /**
     * Resets the function, as far as it and the kernel can; BARs stay mapped, the configuration
     * space is restored by the kernel, interrupts are off afterwards.
     *
     * @throws PciException {@code ENOTTY} when neither can
     */
    void reset();

    /** Whether the device has gone: unplugged, or its configuration space reads as all ones. */
    boolean isGone();

    /**
     * Runs control code that touches registers, and turns the JVM's answer to registers that are
     * not there any more into an exception that callers know. Polling code sees all ones instead,
     * or looks at {@link #isGone} now and then.
     *
     * @param what what the code does, for the message
     * @throws PciException {@code ENODEV} when a register faulted
     */
    default void withRegisters(String what, Runnable access) {
        try {
            access.run();
        } catch (InternalError fault) {
            throw new PciException(
                    "PCI device "
                            + address()
                            + ": ENODEV ("
                            + what
                            + ": its registers do not answer; it was unplugged, unbound or turned"
                            + " off)",
                    fault);
        }
    }

    /** Gives the device back; bus mastering is off then. A second call does nothing. */
    @Override
    void close();
}
