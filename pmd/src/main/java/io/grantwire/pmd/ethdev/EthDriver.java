package io.grantwire.pmd.ethdev;

import io.grantwire.pmd.domain.Domain;
import java.util.List;
import java.util.function.Supplier;

/** Makes devices of one kind. */
public interface EthDriver {
    /** What the names of its devices begin with, the usual one first: {@code net_null}. */
    List<String> prefixes();

    /**
     * Makes the device.
     *
     * @param args its name and options
     * @param domain gives this process's domain when the device needs one; opened on first use
     * @throws IllegalArgumentException when an option is wrong
     * @throws EthDeviceException when the device cannot be had
     */
    EthDevice probe(DeviceArgs args, Supplier<Domain> domain);
}
