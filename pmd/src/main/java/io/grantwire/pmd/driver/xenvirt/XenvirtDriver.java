package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDriver;
import io.grantwire.pmd.net.MacAddress;
import java.util.List;
import java.util.function.Supplier;

/**
 * {@code eth_xenvirt0[,mac=00:00:00:00:00:11]}: a port of the switch in domain 0. Without {@code
 * mac} it gets a random, locally administered address. Its receive pool must be one of {@link
 * XenvirtMempools}.
 */
public final class XenvirtDriver implements EthDriver {
    /** Makes the driver; devices come from {@link #probe}. */
    public XenvirtDriver() {}

    @Override
    public List<String> prefixes() {
        return List.of("net_xenvirt", "eth_xenvirt");
    }

    @Override
    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
        args.allowOnly("mac");
        String mac = args.get("mac");
        MacAddress address = mac == null ? MacAddress.random() : MacAddress.parse(mac);
        if (!address.isValidUnicast()) {
            throw new IllegalArgumentException(
                    "device " + args.name() + ": " + mac + " is not the address of one device");
        }
        return new XenvirtDevice(args.name(), address, domain.get());
    }
}
