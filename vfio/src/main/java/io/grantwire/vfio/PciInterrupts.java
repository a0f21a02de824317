package io.grantwire.vfio;

import java.util.List;

/** The interrupts of a device, delivered to file descriptors. Control path; one thread. */
public interface PciInterrupts {
    /** How a device interrupts. */
    enum Kind {
        /** Messages, each with a vector of its own. */
        MSIX,
        /** Messages. */
        MSI,
        /** The old line, which stays masked from each interrupt until it is unmasked. */
        INTX
    }

    /** How many vectors the device has of a kind; 0 when it, or the kernel's driver, has none. */
    int available(Kind kind);

    /**
     * Turns interrupts on; those that were on are off then.
     *
     * @param vectors 1 to {@link #available}
     * @return one object for each vector, valid until the next call, {@link #disable}, or a reset
     * @throws PciException when the kernel refuses
     */
    List<PciInterrupt> enable(Kind kind, int vectors);

    /** Turns all interrupts off. */
    void disable();
}
