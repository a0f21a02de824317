package io.grantwire.tools.testpmd;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.eal.EalOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ports of this process: devices first, then a pool for each, as testpmd does it, so that a
 * xenvirt front end has announced its pool before its rings.
 */
final class PortSet implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("PMD");

    private static final int CRC = 4;

    /**
     * Buffers of a granted pool: with its rings a port stays below 600 pages, so that gntalloc's
     * usual limit of 1024 is enough for one.
     */
    private static final int GRANTED_MBUFS = 1024;

    private static final int PLAIN_MBUFS = 2048;

    private static final String XENVIRT = "net_xenvirt";

    private final List<EthDevice> devices = new ArrayList<>();
    private final List<Port> ports = new ArrayList<>();
    private Domain domain;

    private PortSet() {}

    /** Makes all devices that were asked for; on failure none is left. */
    static PortSet create(EalOptions eal, TestpmdOptions options) {
        if (eal.vdevs().isEmpty() && eal.allowed().isEmpty()) {
            throw new UsageException(
                    "No ports: name a device, for instance --vdev"
                            + " eth_xenvirt0,mac=00:00:00:00:00:11 or --vdev net_null0");
        }
        PortSet set = new PortSet();
        try {
            set.fill(eal, options);
            return set;
        } catch (RuntimeException | Error e) {
            set.close();
            throw e;
        }
    }

    private void fill(EalOptions eal, TestpmdOptions options) {
        Supplier<Domain> opened = () -> domain(eal);
        for (String name : deviceNames(eal)) {
            EthDevice device = EthDrivers.probe(name, opened);
            devices.add(device);
            int longest = device.info().maxRxPktLen() + CRC;
            if (options.maxPktLen > longest) {
                throw new UsageException(
                        "--max-pkt-len="
                                + options.maxPktLen
                                + ": "
                                + device.name()
                                + " takes frames up to "
                                + longest
                                + " bytes, CRC included");
            }
            checkFits(device, options);
        }
        for (int id = 0; id < devices.size(); id++) {
            EthDevice device = devices.get(id);
            PortSettings settings = new PortSettings(device, options);
            ports.add(new Port(id, device, pool(id, device, options), settings));
        }
    }

    /** A network card that cannot receive into several buffers needs large ones. */
    private static void checkFits(EthDevice device, TestpmdOptions options) {
        EthCapabilities can = device.capabilities();
        int frame = options.maxPktLen - CRC;
        if (options.maxPktLen > PortSettings.USUAL_PKT_LEN
                && frame > options.mbufSize - Mempool.HEADROOM
                && !can.equals(EthCapabilities.NONE)
                && !can.offloads().contains(EthOffload.RX_SCATTER)) {
            throw new UsageException(
                    "--max-pkt-len="
                            + options.maxPktLen
                            + ": "
                            + device.name()
                            + " receives a frame into one buffer; give --mbuf-size="
                            + (frame + Mempool.HEADROOM));
        }
    }

    /** PCI devices come first, as in DPDK. */
    private static List<String> deviceNames(EalOptions eal) {
        List<String> names = new ArrayList<>();
        for (String bdf : eal.allowed()) {
            names.add("pci:" + bdf);
        }
        names.addAll(eal.vdevs());
        return names;
    }

    private Mempool pool(int id, EthDevice device, TestpmdOptions options) {
        String name = "mbuf_pool_" + id;
        int room = options.mbufSize - Mempool.HEADROOM;
        boolean granted = device.info().driverName().equals(XENVIRT);
        int count =
                options.totalNumMbufs != null
                        ? options.totalNumMbufs
                        : granted ? GRANTED_MBUFS : plainMbufs(options);
        int cache = Math.min(options.mbcache, count / 4);
        return granted
                ? XenvirtMempools.create(domain, name, count, room, cache)
                : Mempool.create(
                        new MempoolConfig(name, count, room, cache, device.packetMemory()));
    }

    /** Enough to fill the rings of all queues, the caches of two cores, and some under way. */
    private static int plainMbufs(TestpmdOptions options) {
        int rings = options.rxq * options.rxd + options.txq * options.txd;
        return Math.max(PLAIN_MBUFS, rings + 2 * options.mbcache + options.burst * options.rxq);
    }

    private Domain domain(EalOptions eal) {
        if (domain == null) {
            domain = eal.domain().openGuest();
            LOG.info("{}", domain.description());
        }
        return domain;
    }

    List<Port> ports() {
        return ports;
    }

    /** Closes what is still open: ports, pools, and the way to the host last. */
    @Override
    public void close() {
        for (Port port : ports) {
            port.close();
        }
        for (EthDevice device : devices) {
            device.close();
        }
        for (Port port : ports) {
            // Says so in the log if frames are still missing now.
            port.pool.close();
        }
        if (domain != null) {
            domain.close();
            domain = null;
        }
    }
}
