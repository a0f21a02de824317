package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.vfio.PciException;
import io.grantwire.vfio.PciInterrupt;
import io.grantwire.vfio.PciInterrupts;
import io.grantwire.vfio.PciInterrupts.Kind;
import java.time.Duration;
import java.util.List;

/**
 * The interrupts of receive queues: with MSI-X a vector each (82576 datasheet 7.3); with a line or
 * MSI, one queue only. They are masked but while a thread waits.
 *
 * <p>{@link #await} the queue's thread; the others control path.
 */
final class IgbInterrupts {
    private final CardRegisters registers;
    private final IgbModel model;
    private final PciInterrupts interrupts;

    private Kind kind;

    /** Replaced as a whole; a queue's at its number. */
    private volatile List<PciInterrupt> vectors = List.of();

    IgbInterrupts(CardRegisters registers, IgbModel model, PciInterrupts interrupts) {
        this.registers = registers;
        this.model = model;
        this.interrupts = interrupts;
    }

    /** How many receive queues can have an interrupt. */
    private int most() {
        int messages = interrupts.available(Kind.MSIX);
        return messages > 0
                ? messages
                : interrupts.available(Kind.MSI) + interrupts.available(Kind.INTX) > 0 ? 1 : 0;
    }

    /** Whether {@link #enableFor} has given a receive queue an interrupt. */
    boolean has(int queue) {
        return queue < vectors.size();
    }

    /**
     * Gives a receive queue an interrupt, and all others with it, masked; not while any waits.
     *
     * @param queues receive queues; those beyond {@link #most} get none
     */
    void enableFor(int queue, int queues, String kernelDriver, IgbFailures failures) {
        if (queue >= most()) {
            throw failures.of(
                    "receive interrupts",
                    "ENOTSUP",
                    "queue " + queue + " has none: " + kernelDriver + " gives it " + most());
        }
        if (!has(queue)) {
            try {
                enable(queues);
            } catch (PciException e) {
                throw failures.of("receive interrupts", "EIO", e.getMessage());
            }
        }
    }

    private void enable(int queues) {
        if (interrupts.available(Kind.MSIX) > 0) {
            kind = Kind.MSIX;
        } else {
            kind = interrupts.available(Kind.MSI) > 0 ? Kind.MSI : Kind.INTX;
        }
        int count = Math.min(queues, most());
        List<PciInterrupt> enabled = interrupts.enable(kind, count);
        if (kind == Kind.MSIX) {
            // Several vectors; causes clear when their message goes out (EIAC).
            registers.write(GPIE, GPIE_MULTIPLE_MSIX | GPIE_PBA_SUPPORT | GPIE_EIAME | GPIE_NSICR);
            for (int q = 0; q < count; q++) {
                int shift = model.ivarShift(q);
                registers.update(model.ivar(q), 0xff << shift, (q | IVAR_VALID) << shift);
            }
            registers.write(EIAC, (1 << count) - 1);
        }
        vectors = enabled;
    }

    /** Turns interrupts off; nobody waits. */
    void disable() {
        if (has(0)) {
            vectors = List.of();
            registers.write(EIMC, -1);
            registers.write(IMC, -1);
            interrupts.disable();
        }
    }

    /**
     * Waits until a queue has received something.
     *
     * @return false when the time was up, or the card has gone
     */
    boolean await(int queue, IgbRxQueue rx, Duration timeout) {
        PciInterrupt vector = vectors.get(queue);
        arm(queue, vector);
        try {
            // What came before it was armed raises no interrupt.
            if (rx.hasFrames()) {
                return true;
            }
            return vector.await(timeout) && !registers.gone();
        } catch (PciException e) {
            registers.lose();
            registers.report();
            return false;
        } finally {
            disarm(queue);
        }
    }

    private void arm(int queue, PciInterrupt vector) {
        if (kind == Kind.MSIX) {
            // Forget old causes; a new one raises its message as soon as it is unmasked.
            registers.write(EICR, 1 << queue);
            registers.write(EIMS, 1 << queue);
        } else {
            registers.read(ICR);
            vector.unmask();
            registers.write(IMS, ICR_RXDW);
        }
    }

    private void disarm(int queue) {
        if (kind == Kind.MSIX) {
            registers.write(EIMC, 1 << queue);
        } else {
            registers.write(IMC, ICR_RXDW);
            // The line stays up until its cause is read.
            registers.read(ICR);
        }
    }
}
