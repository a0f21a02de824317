package io.grantwire.pmd.ethdev;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.driver.afpacket.AfPacketDriver;
import io.grantwire.pmd.driver.nulldev.NullDriver;
import io.grantwire.pmd.driver.pcap.PcapDriver;
import io.grantwire.pmd.driver.pci.PciDriver;
import io.grantwire.pmd.driver.tap.TapDriver;
import io.grantwire.pmd.driver.xenvirt.XenvirtDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/** The drivers of this process, found by the beginning of a device's name. */
public final class EthDrivers {
    private static final List<EthDriver> DRIVERS =
            new CopyOnWriteArrayList<>(
                    List.of(
                            new NullDriver(),
                            new PcapDriver(),
                            new XenvirtDriver(),
                            new TapDriver(),
                            new AfPacketDriver(),
                            new PciDriver()));

    private EthDrivers() {}

    /**
     * Makes a device from a string such as {@code net_pcap0,rx_pcap=in.pcap}.
     *
     * @param domain gives this process's domain when the device needs one
     * @throws IllegalArgumentException when no driver knows the name, or an option is wrong
     * @throws EthDeviceException when the device cannot be had
     */
    public static EthDevice probe(String deviceString, Supplier<Domain> domain) {
        DeviceArgs args = DeviceArgs.parse(deviceString);
        EthDriver best = null;
        int length = 0;
        for (EthDriver driver : DRIVERS) {
            for (String prefix : driver.prefixes()) {
                if (args.name().startsWith(prefix) && prefix.length() > length) {
                    best = driver;
                    length = prefix.length();
                }
            }
        }
        if (best == null) {
            throw new IllegalArgumentException(
                    "device "
                            + args.name()
                            + ": no driver for it; names begin with "
                            + String.join(", ", prefixes()));
        }
        return best.probe(args, domain);
    }

    /** The usual name beginnings of all drivers. */
    public static List<String> prefixes() {
        List<String> all = new ArrayList<>();
        for (EthDriver driver : DRIVERS) {
            all.add(driver.prefixes().get(0));
        }
        return all;
    }

    /** Adds a driver; its prefixes must be new. */
    public static void register(EthDriver driver) {
        DRIVERS.add(driver);
    }
}
