package io.grantwire.pmd.driver.e1000e;

import static io.grantwire.pmd.driver.e1000e.E1000eRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.vfio.PciException;
import io.grantwire.vfio.PciInterrupt;
import io.grantwire.vfio.PciInterrupts;
import java.time.Duration;
import java.util.List;

/**
 * Receive interrupts (section 7.4): with MSI-X a vector for each queue, else the one message or
 * line of the card, which then serves a single queue. All are masked but while somebody waits.
 */
final class E1000eInterrupts {
    /** The longest wait in seconds: a year. */
    private static final long MOST = 365L * 86_400;

    private static final int LEGACY = INT_RXT0 | INT_RXO | INT_RXDMT0;

    private final CardRegisters card;
    private final PciInterrupts pci;
    private List<PciInterrupt> vectors = List.of();
    private boolean msix;
    private String why = "it is not started";

    E1000eInterrupts(CardRegisters card, PciInterrupts pci) {
        this.card = card;
        this.pci = pci;
    }

    /** Prepares for some receive queues; after a reset, before traffic. */
    void enable(int queues) {
        vectors = List.of();
        try {
            if (pci.available(PciInterrupts.Kind.MSIX) >= queues) {
                msix = true;
                vectors = pci.enable(PciInterrupts.Kind.MSIX, queues);
            } else if (queues > 1) {
                why = "several queues need MSI-X, which this card's kernel driver does not give";
            } else {
                msix = false;
                boolean msi = pci.available(PciInterrupts.Kind.MSI) > 0;
                vectors = pci.enable(msi ? PciInterrupts.Kind.MSI : PciInterrupts.Kind.INTX, 1);
            }
        } catch (PciException e) {
            why = e.getMessage();
        }
        if (msix && !vectors.isEmpty()) {
            // Receive queue n interrupts through vector n; the other causes have none (10.2.4).
            int ivar = 0;
            int causes = 0;
            for (int q = 0; q < queues; q++) {
                ivar |= (q | IVAR_VALID) << 4 * q;
                causes |= INT_RXQ0 << q;
            }
            card.write(IVAR, ivar);
            card.write(EIAC, causes);
        }
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
    boolean await(int queue, E1000eRxQueue ring, Duration timeout) {
        PciInterrupt vector = vectors.get(queue);
        int causes = msix ? INT_RXQ0 << queue : LEGACY;
        long end = System.nanoTime() + Math.min(timeout.toSeconds(), MOST) * 1_000_000_000L;
        end += timeout.toNanosPart();
        try {
            while (true) {
                arm(vector, causes);
                // A frame may have come before the interrupt was allowed.
                long left = end - System.nanoTime();
                if (ring.hasFrames() || left <= 0 || card.gone()) {
                    return ring.hasFrames();
                }
                vector.await(Duration.ofNanos(left));
            }
        } finally {
            card.write(IMC, causes);
        }
    }

    private void arm(PciInterrupt vector, int causes) {
        if (msix) {
            card.write(ICR, causes);
        } else {
            card.read(ICR);
            vector.unmask();
        }
        card.write(IMS, causes);
    }

    /** Turns them off; nobody waits. */
    void disable() {
        vectors = List.of();
        why = "it is not started";
        card.write(IMC, ~0);
        pci.disable();
    }
}
