package io.grantwire.pmd.driver.afpacket;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.NetInterface;
import io.grantwire.bindings.Process;
import io.grantwire.bindings.Sockets;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The device of {@link AfPacketDriver}. Each queue pair is one socket, open while the device is
 * started; several share the interface's frames by flow (PACKET_FANOUT).
 */
final class AfPacketDevice extends AbstractEthDevice {
    private static final Path INTERFACES = Path.of("/sys/class/net");

    private final String iface;
    private final int maxQueues;
    private final PacketRingGeometry geometry;
    private final boolean qdiscBypass;
    private final EthDeviceInfo info;
    private final long[] frames;

    private AfPacketRxQueue[] rx = {};
    private AfPacketTxQueue[] tx = {};

    /** Replaced as a whole: statistics may be read by any thread. */
    private volatile PacketSocket[] sockets = {};

    private long dropsBefore;

    private AfPacketDevice(
            String name,
            String iface,
            MacAddress mac,
            int mtu,
            int maxQueues,
            PacketRingGeometry geometry,
            boolean qdiscBypass) {
        super(name, mac);
        this.iface = iface;
        this.maxQueues = maxQueues;
        this.geometry = geometry;
        this.qdiscBypass = qdiscBypass;
        this.frames = geometry.frameOffsets();
        noteMtu(mtu);
        int room = AfPacketTxQueue.room(geometry.frameSize());
        this.info =
                new EthDeviceInfo(
                        "net_af_packet",
                        maxQueues,
                        maxQueues,
                        frames.length,
                        frames.length,
                        frames.length,
                        frames.length,
                        1,
                        room,
                        68,
                        room - EtherHeader.LENGTH,
                        1,
                        true,
                        false);
    }

    /**
     * Looks at the interface and at our right to open packet sockets.
     *
     * @throws EthDeviceException naming the interface, the reason and what to do
     */
    static AfPacketDevice open(
            String name,
            String iface,
            int queues,
            PacketRingGeometry geometry,
            boolean qdiscBypass) {
        try {
            Sockets.packetSocket(iface, 0).close();
            return new AfPacketDevice(
                    name,
                    iface,
                    MacAddress.of(NetInterface.macAddress(iface)),
                    NetInterface.mtu(iface),
                    queues,
                    geometry,
                    qdiscBypass);
        } catch (NativeException | IllegalArgumentException e) {
            throw new EthDeviceException("device " + name + ": " + e.getMessage(), e);
        }
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    @Override
    protected void doConfigure(EthConfig config) {
        if (config.rxQueues() != config.txQueues()) {
            throw failure(
                    "configure",
                    "EINVAL",
                    config.rxQueues()
                            + " receive and "
                            + config.txQueues()
                            + " transmit queues; its queues come in pairs");
        }
        rx = new AfPacketRxQueue[config.rxQueues()];
        tx = new AfPacketTxQueue[config.txQueues()];
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        rx[queue] = new AfPacketRxQueue(pool, rxCounters(queue));
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        tx[queue] = new AfPacketTxQueue(txCounters(queue), mtu(), geometry.frameSize());
    }

    @Override
    protected void doStart() {
        PacketSocket[] opened = new PacketSocket[rx.length];
        // The kernel's groups are machine-wide; a process and an interface name one each.
        int group =
                rx.length == 1
                        ? -1
                        : (Process.pid() * 31 + iface.hashCode() + name().hashCode()) & 0xffff;
        try {
            for (int i = 0; i < opened.length; i++) {
                opened[i] = PacketSocket.open(iface, geometry, qdiscBypass, group);
                if (promiscuous()) {
                    opened[i].setPromiscuous(true);
                }
                rx[i].attach(opened[i].rxRing(), frames);
                tx[i].attach(opened[i], frames);
            }
        } catch (NativeException e) {
            for (PacketSocket socket : opened) {
                if (socket != null) {
                    socket.close();
                }
            }
            throw new EthDeviceException("device " + name() + ": " + e.getMessage(), e);
        }
        sockets = opened;
    }

    @Override
    protected void doStop() {
        PacketSocket[] old = sockets;
        sockets = new PacketSocket[0];
        for (PacketSocket socket : old) {
            socket.close();
            dropsBefore += socket.drops();
        }
    }

    @Override
    protected void doClose() {
        // The sockets were closed by stop.
    }

    @Override
    protected void doSetPromiscuous(boolean on) {
        for (PacketSocket socket : sockets) {
            if (on != promiscuous()) {
                socket.setPromiscuous(on);
            }
        }
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        return started() ? rx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return started() ? tx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public EthLink link() {
        try {
            boolean up = started() && NetInterface.isRunning(iface);
            return new EthLink(
                    up, Math.max(0, (int) number("speed")), !"half".equals(attribute("duplex")));
        } catch (NativeException e) {
            return new EthLink(false, 0, true);
        }
    }

    private long number(String attribute) {
        try {
            return Long.parseLong(attribute(attribute));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** A line of the interface's directory in sysfs, empty when the interface does not say. */
    private String attribute(String name) {
        try {
            return Files.readString(INTERFACES.resolve(iface).resolve(name)).strip();
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    protected void addXstats(Map<String, Long> xstats) {
        long drops = dropsBefore;
        for (PacketSocket socket : sockets) {
            drops += socket.drops();
        }
        xstats.merge("rx_missed_errors", drops, Long::sum);
        for (int i = 0; i < rx.length; i++) {
            xstats.put("rx_q" + i + "_checksum_unfinished", rx[i] == null ? 0 : rx[i].unfinished());
        }
    }
}
