package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.virtio.SplitRingChains;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import io.grantwire.pmd.virtio.SplitRingLayout;
import io.grantwire.vfio.DmaSpace;

/**
 * The queues of a started device: memory, rings, and what the device is told of them. Receive and
 * transmit queues take turns, and the control queue comes last (section 5.1.2). Control path.
 */
final class VirtioNetQueues {
    private static final int CONTROL_DESC = 64;
    private static final int LEAST_CONTROL_DESC = 4;

    private final VirtioPciTransport transport;
    private final DmaSpace dma;
    private final VirtioInterrupts interrupts;
    private final VirtioRxQueue[] rx;
    private final VirtioTxQueue[] tx;

    private VirtioQueueMemory memory;
    private VirtioControlQueue control;
    private boolean eventIdx;

    /**
     * @param rx set up, as many as {@code tx}
     * @param tx set up
     */
    VirtioNetQueues(
            VirtioPciTransport transport,
            DmaSpace dma,
            VirtioInterrupts interrupts,
            VirtioRxQueue[] rx,
            VirtioTxQueue[] tx) {
        this.transport = transport;
        this.dma = dma;
        this.interrupts = interrupts;
        this.rx = rx;
        this.tx = tx;
    }

    /**
     * Makes the queues and gives them to the device, which has taken the features.
     *
     * @param controlIndex the control queue's number; negative when there is none
     * @param maxFrame longest frame either way
     * @throws IllegalStateException when the device's queues are not as they should be
     * @throws io.grantwire.vfio.PciException when there is not enough memory
     */
    void make(long features, int controlIndex, int maxFrame) {
        int pairs = rx.length;
        eventIdx = (features & VirtioFeatures.RING_EVENT_IDX) != 0;
        SplitRingLayout[] layouts = layouts(controlIndex);
        int[] extras = new int[layouts.length];
        for (int q = 0; q < pairs; q++) {
            extras[2 * q + 1] = VirtioTxQueue.SLOT * tx[q].size();
        }
        if (controlIndex >= 0) {
            extras[2 * pairs] = VirtioControlQueue.BYTES;
        }
        memory = new VirtioQueueMemory(dma, layouts, extras);
        interrupts.enable(pairs);
        transport.setConfigVector(VirtioPciTransport.NO_VECTOR);
        for (int q = 0; q < pairs; q++) {
            int r = 2 * q;
            rx[q].prepare(
                    SplitRingDriver.receive(memory.ring(r), layouts[r]),
                    notifier(r, r, layouts[r]),
                    (features & VirtioFeatures.MRG_RXBUF) != 0,
                    (features & VirtioFeatures.GUEST_CSUM) != 0,
                    maxFrame);
            if (!enable(r, r, layouts[r], interrupts.vector(q))) {
                interrupts.refused();
            }
            int t = r + 1;
            tx[q].prepare(
                    new SplitRingChains(memory.ring(t), layouts[t]),
                    notifier(t, t, layouts[t]),
                    memory.extra(t),
                    memory.extraBusAddress(t),
                    (features & VirtioFeatures.CSUM) != 0,
                    maxFrame);
            enable(t, t, layouts[t], VirtioPciTransport.NO_VECTOR);
        }
        if (controlIndex >= 0) {
            int i = 2 * pairs;
            control =
                    new VirtioControlQueue(
                            new SplitRingChains(memory.ring(i), layouts[i]),
                            notifier(i, controlIndex, layouts[i]),
                            memory.extra(i),
                            memory.extraBusAddress(i),
                            () -> !transport.check());
            enable(i, controlIndex, layouts[i], VirtioPciTransport.NO_VECTOR);
        }
    }

    private SplitRingLayout[] layouts(int controlIndex) {
        int pairs = rx.length;
        SplitRingLayout[] layouts = new SplitRingLayout[2 * pairs + (controlIndex >= 0 ? 1 : 0)];
        for (int q = 0; q < pairs; q++) {
            layouts[2 * q] = fit(2 * q, rx[q].size());
            layouts[2 * q + 1] = fit(2 * q + 1, tx[q].size());
        }
        if (controlIndex >= 0) {
            int most = transport.queueSize(controlIndex);
            int size = VirtioNetProbe.powerOfTwo(Math.min(CONTROL_DESC, most));
            if (size < LEAST_CONTROL_DESC) {
                throw new IllegalStateException("its control queue has " + most + " entries");
            }
            layouts[2 * pairs] = SplitRingLayout.of(size);
        }
        return layouts;
    }

    private SplitRingLayout fit(int queue, int size) {
        int most = transport.queueSize(queue);
        if (size > most) {
            throw new IllegalStateException(
                    "its queue " + queue + " has " + most + " entries, not " + size);
        }
        return SplitRingLayout.of(size);
    }

    private VirtioNotifier notifier(int i, int queue, SplitRingLayout layout) {
        return new VirtioNotifier(
                memory.ring(i),
                layout,
                eventIdx,
                transport.doorbells(),
                transport.doorbell(queue),
                queue);
    }

    private boolean enable(int i, int queue, SplitRingLayout layout, int vector) {
        return transport.enableQueue(
                queue,
                layout.size(),
                memory.busAddress(i, 0),
                memory.busAddress(i, layout.avail()),
                memory.busAddress(i, layout.used()),
                vector);
    }

    /** The control queue; null when there is none. */
    VirtioControlQueue control() {
        return control;
    }

    /** Gives the device buffers to receive into. */
    void refill() {
        for (VirtioRxQueue queue : rx) {
            queue.refill();
        }
    }

    /** Which queue the device has broken, and how; null when none. Any thread may ask. */
    String fault() {
        for (int q = 0; q < rx.length; q++) {
            if (rx[q].fault() != Fault.NONE) {
                return "receive queue " + q + " (" + rx[q].fault() + ")";
            }
            if (tx[q].fault() != Fault.NONE) {
                return "transmit queue " + q + " (" + tx[q].fault() + ")";
            }
        }
        return null;
    }

    /** Frees the frames in the queues, and their memory; the device has been reset. */
    void free() {
        control = null;
        for (int q = 0; q < rx.length; q++) {
            rx[q].drain();
            tx[q].drain();
        }
        if (memory != null) {
            memory.close();
            memory = null;
        }
    }
}
