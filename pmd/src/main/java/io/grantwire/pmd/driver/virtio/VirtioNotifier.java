package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.virtio.PeerMemory;
import io.grantwire.pmd.virtio.RingIndex;
import io.grantwire.pmd.virtio.SplitRingLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Notifications of one queue in both directions, and their suppression (sections 2.7.7 and 2.7.10):
 * the doorbell is a register, whose write is what costs most here, and is left out while the device
 * looks by itself; interrupts are off but while somebody waits.
 *
 * <p>The queue's thread.
 */
final class VirtioNotifier {
    /** {@code VIRTQ_USED_F_NO_NOTIFY} and {@code VIRTQ_AVAIL_F_NO_INTERRUPT}. */
    private static final int SUPPRESSED = 1;

    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle KICKS;

    static {
        try {
            KICKS = MethodHandles.lookup().findVarHandle(VirtioNotifier.class, "kicks", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final MemorySegment ring;
    private final long availEvent;
    private final long availFlags;
    private final long usedEvent;
    private final long usedFlags;
    private final boolean eventIdx;
    private final CardRegisters doorbells;
    private final long doorbell;
    private final int queue;
    private long kicks;

    VirtioNotifier(
            MemorySegment ring,
            SplitRingLayout layout,
            boolean eventIdx,
            CardRegisters doorbells,
            long doorbell,
            int queue) {
        this.ring = ring;
        this.availEvent = layout.availEvent();
        this.availFlags = layout.avail() + SplitRingLayout.RING_FLAGS;
        this.usedEvent = layout.usedEvent();
        this.usedFlags = layout.used() + SplitRingLayout.RING_FLAGS;
        this.eventIdx = eventIdx;
        this.doorbells = doorbells;
        this.doorbell = doorbell;
        this.queue = queue;
    }

    /** Doorbells rung. */
    long kicks() {
        return (long) KICKS.getOpaque(this);
    }

    /**
     * Tells the device, if it wants to know, that {@code avail.idx} has moved.
     *
     * @param from where it was at the last call
     * @param to what was published
     */
    void kick(int from, int to) {
        // The index must be visible before the device's wish is read, else both sides may sleep:
        // pairs with the device's barrier between its wish and its look at the index.
        VarHandle.fullFence();
        boolean wanted =
                eventIdx
                        ? RingIndex.needsEvent(PeerMemory.readU16(ring, availEvent), to, from)
                        : (PeerMemory.readU16(ring, usedFlags) & SUPPRESSED) == 0;
        if (wanted) {
            doorbells.doorbell16(doorbell, queue);
            KICKS.setOpaque(this, kicks + 1);
        }
    }

    /**
     * Asks for no interrupts.
     *
     * @param used the index up to which buffers were taken back
     */
    void suppress(int used) {
        if (eventIdx) {
            // As far away as an index can be; flags stay 0 then (section 2.7.10).
            ring.set(U16, usedEvent, (short) (used - 1));
        } else {
            ring.set(U16, availFlags, (short) SUPPRESSED);
        }
    }

    /** Asks for an interrupt at the next buffer used; look at the ring once more afterwards. */
    void allow(int used) {
        if (eventIdx) {
            ring.set(U16, usedEvent, (short) used);
        } else {
            ring.set(U16, availFlags, (short) 0);
        }
        // The wish must be visible before the ring is looked at: pairs with the device's barrier.
        VarHandle.fullFence();
    }
}
