package io.grantwire.pmd.driver.pci;

import io.grantwire.vfio.Bar;
import io.grantwire.vfio.PciDevice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registers of a card that may be pulled out at any time, 32 bits wide where not said. A card
 * that has gone reads as all ones, or the access faults, which the JVM reports as {@link
 * InternalError}; either sets {@link #gone}, for good, and what is written then goes nowhere.
 *
 * <p>{@link #read} and {@link #write} are for the control path: they wait until the JVM has
 * reported, and may log. {@link #doorbell} is for the packet path. There the JVM may report a fault
 * later, out of whatever the thread does next: a polling loop that gets an {@link InternalError}
 * asks its devices for their links, and the one that has gone knows then.
 */
public final class CardRegisters {
    /** What a card that is not there reads as. */
    public static final int ALL_ONES = -1;

    private static final Logger LOG = LoggerFactory.getLogger(CardRegisters.class);
    private static final VarHandle GONE;

    static {
        try {
            GONE = MethodHandles.lookup().findVarHandle(CardRegisters.class, "gone", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String device;
    private final PciDevice pci;
    private final Bar bar;
    private final AtomicBoolean reported = new AtomicBoolean();

    @SuppressWarnings("unused") // through GONE
    private boolean gone;

    /**
     * @param device its name in messages
     * @param pci the card, asked whether it is there
     * @param bar its registers
     */
    public CardRegisters(String device, PciDevice pci, Bar bar) {
        this.device = device;
        this.pci = pci;
        this.bar = bar;
    }

    /** Reads a register; all ones when the card has gone. */
    public int read(long offset) {
        if (gone()) {
            report();
            return ALL_ONES;
        }
        int value;
        try {
            value = bar.read32(offset);
            awaitFault();
        } catch (InternalError fault) {
            lose();
            report();
            return ALL_ONES;
        }
        // Few registers are ever all ones, so this is asked seldom.
        if (value == ALL_ONES && pci.isGone()) {
            lose();
            report();
        }
        return value;
    }

    /** Writes a register. */
    public void write(long offset, int value) {
        if (gone()) {
            report();
            return;
        }
        try {
            bar.write32(offset, value);
            awaitFault();
        } catch (InternalError fault) {
            lose();
            report();
        }
    }

    /**
     * In compiled code the JVM goes on after an access that faults, and throws at the next
     * safepoint. Coming back from native code is one, and so what it throws is thrown here.
     */
    private static void awaitFault() {
        Thread.yield();
    }

    /** Writes a register on the packet path. */
    public void doorbell(long offset, int value) {
        if (gone()) {
            return;
        }
        try {
            bar.write32(offset, value);
        } catch (InternalError fault) {
            lose();
        }
    }

    /** Sets and clears bits of a register; bits in both are set. */
    public void update(long offset, int clear, int set) {
        write(offset, read(offset) & ~clear | set);
    }

    /** Reads a register of 8 bits; all ones may be what the card says, see {@link #check}. */
    public int read8(long offset) {
        if (!gone()) {
            try {
                int value = bar.read8(offset);
                awaitFault();
                return value;
            } catch (InternalError fault) {
                lose();
            }
        }
        report();
        return 0xff;
    }

    /** Reads a register of 16 bits; all ones may be what the card says, see {@link #check}. */
    public int read16(long offset) {
        if (!gone()) {
            try {
                int value = bar.read16(offset);
                awaitFault();
                return value;
            } catch (InternalError fault) {
                lose();
            }
        }
        report();
        return 0xffff;
    }

    /** Writes a register of 8 bits. */
    public void write8(long offset, int value) {
        if (!gone()) {
            try {
                bar.write8(offset, value);
                awaitFault();
                return;
            } catch (InternalError fault) {
                lose();
            }
        }
        report();
    }

    /** Writes a register of 16 bits. */
    public void write16(long offset, int value) {
        if (!gone()) {
            try {
                bar.write16(offset, value);
                awaitFault();
                return;
            } catch (InternalError fault) {
                lose();
            }
        }
        report();
    }

    /** Writes a register of 16 bits on the packet path. */
    public void doorbell16(long offset, int value) {
        if (!gone()) {
            try {
                bar.write16(offset, value);
            } catch (InternalError fault) {
                lose();
            }
        }
    }

    /** Asks the bus whether the card is still there; control path. */
    public boolean check() {
        if (!gone() && pci.isGone()) {
            lose();
        }
        report();
        return !gone();
    }

    /** Takes note of a card that was found to be gone in another way. */
    public void lose() {
        GONE.setOpaque(this, true);
    }

    /**
     * The BAR is about to be unmapped: from now on nothing touches it, and nothing is said about
     * that. No thread may be in the middle of a read or write.
     */
    public void retire() {
        reported.set(true);
        lose();
    }

    /** Whether the card has gone. */
    public boolean gone() {
        return (boolean) GONE.getOpaque(this);
    }

    /** Says once that the card has gone, if it has; not on the packet path. */
    public void report() {
        if (gone() && reported.compareAndSet(false, true)) {
            LOG.error(
                    "device {}: ENODEV (the card has gone: unplugged, or unbound from its driver;"
                            + " the port is down until it is opened anew)",
                    device);
        }
    }
}
