package io.grantwire.vfio;

import io.grantwire.bindings.Fd;
import java.time.Duration;

/** One interrupt vector of a device. One thread at a time waits for it. */
public interface PciInterrupt {
    /**
     * Waits until the device interrupts, and takes note of it.
     *
     * @return false when the time was up before
     * @throws PciException when the descriptor fails, for instance since the device has gone
     */
    boolean await(Duration timeout);

    /** Lets a masked INTx interrupt again; nothing for messages. */
    void unmask();

    /** Readable when the device has interrupted; for an epoll set. Stays this object's. */
    Fd fd();
}
