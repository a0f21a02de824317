package io.grantwire.vfio;

import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says, once in a process, that nothing protects this machine from a device. */
final class Unprotected {
    private static final Logger LOG = LoggerFactory.getLogger(Unprotected.class);
    private static final AtomicBoolean SAID = new AtomicBoolean();

    private Unprotected() {}

    static void warn(PciAddress address) {
        if (SAID.compareAndSet(false, true)) {
            LOG.warn(
                    "PCI device {}: no IOMMU keeps it within the memory given to it; a mistake here"
                            + " can overwrite any memory of this machine",
                    address);
        }
    }
}
