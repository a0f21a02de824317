package io.grantwire.pmd.driver.tap;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDriver;
import io.grantwire.pmd.net.MacAddress;
import java.util.List;
import java.util.function.Supplier;

/**
 * {@code net_tap0[,iface=NAME][,mac=…][,mtu=…]}: a TAP interface of this kernel. What the kernel
 * sends into the interface is received here and the other way round. It is made when the device is
 * probed ({@code dtap0}, {@code dtap1} … without {@code iface}) and gone when it is closed; an
 * existing one of that name that nobody has open is used. Needs CAP_NET_ADMIN.
 */
public final class TapDriver implements EthDriver {
    private static final String DEFAULT_NAME = "dtap%d";
    private static final int MIN_MTU = 68;

    @Override
    public List<String> prefixes() {
        return List.of("net_tap", "eth_tap");
    }

    @Override
    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
        args.allowOnly("iface", "mac", "mtu");
        String mac = args.get("mac");
        return TapDevice.open(
                args.name(),
                args.get("iface", DEFAULT_NAME),
                mac == null ? null : MacAddress.parse(mac),
                args.getInt("mtu", 0, MIN_MTU, TapDevice.MAX_FRAME));
    }
}
