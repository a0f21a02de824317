package io.grantwire.pmd.driver.nulldev;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDriver;
import java.util.List;
import java.util.function.Supplier;

/**
 * {@code net_null0[,size=64][,copy=0][,no-rx=0]}: a device that receives an endless stream of
 * frames from nowhere and transmits to nowhere, as DPDK's net_null.
 */
public final class NullDriver implements EthDriver {
    @Override
    public List<String> prefixes() {
        return List.of("net_null", "eth_null");
    }

    @Override
    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
        args.allowOnly("size", "copy", "no-rx");
        return new NullDevice(
                args.name(),
                args.getInt("size", 64, 1, NullDevice.MAX_FRAME),
                args.getFlag("copy", false),
                args.getFlag("no-rx", false));
    }
}
