package io.grantwire.pmd.driver.virtio;

import io.grantwire.vfio.PciException;
import io.grantwire.vfio.PciInterrupt;
import io.grantwire.vfio.PciInterrupts;
import java.time.Duration;
import java.util.List;

/**
 * Receive interrupts: with MSI-X a vector for each receive queue, else the device's line, which
 * then serves a single queue and is taken back by reading the ISR status (section 4.1.4.5).
 */
final class VirtioInterrupts {
    /** The longest wait in seconds: a year. */
    private static final long MOST = 365L * 86_400;

    private final VirtioPciTransport transport;
    private final PciInterrupts pci;
    private List<PciInterrupt> vectors = List.of();
    private boolean msix;
    private String why = "it is not started";

    VirtioInterrupts(VirtioPciTransport transport, PciInterrupts pci) {
        this.transport = transport;
        this.pci = pci;
    }

    /** Prepares for some receive queues; before the device gets its queues. */
    void enable(int queues) {
        vectors = List.of();
        msix = pci.available(PciInterrupts.Kind.MSIX) >= queues;
        try {
            if (msix) {
                vectors = pci.enable(PciInterrupts.Kind.MSIX, queues);
            } else if (queues == 1) {
                vectors = pci.enable(PciInterrupts.Kind.INTX, 1);
            } else {
                why = "several queues need MSI-X, which this card's kernel driver does not give";
            }
        } catch (PciException e) {
            msix = false;
            why = e.getMessage();
        }
    }

    /** The vector that the device is to use for a receive queue. */
    int vector(int queue) {
        return msix ? queue : VirtioPciTransport.NO_VECTOR;
    }

    /** The device has not taken a vector (section 4.1.5.1.2.2): there are no interrupts. */
    void refused() {
        vectors = List.of();
        why = "the device has not enough resources for an interrupt of each queue";
    }

    /** Why there are no interrupts; null when there are. */
    String missing() {
        return vectors.isEmpty() ? why : null;
    }

    /**
     * Waits for a frame. An interrupt without one, such as a late one of an earlier frame, is slept
     * over.
     *
     * @return whether there is one
     * @throws PciException when the interrupt cannot be waited for
     */
    boolean await(int queue, VirtioRxQueue ring, Duration timeout) {
        PciInterrupt vector = vectors.get(msix ? queue : 0);
        long end = System.nanoTime() + Math.min(timeout.toSeconds(), MOST) * 1_000_000_000L;
        end += timeout.toNanosPart();
        while (true) {
            if (!msix) {
                transport.readIsr();
                vector.unmask();
            }
            // A frame may have come before the interrupt was asked for.
            boolean there = ring.arm();
            long left = end - System.nanoTime();
            if (there || left <= 0 || transport.gone()) {
                return ring.disarm();
            }
            vector.await(Duration.ofNanos(left));
        }
    }

    /** Turns them off; nobody waits. */
    void disable() {
        vectors = List.of();
        why = "it is not started";
        pci.disable();
    }
}
