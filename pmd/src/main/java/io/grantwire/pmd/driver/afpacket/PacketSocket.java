package io.grantwire.pmd.driver.afpacket;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.NetInterface;
import io.grantwire.bindings.Sockets;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.packet_mreq;
import io.grantwire.bindings.gen.uapi.tpacket_req;
import io.grantwire.bindings.gen.uapi.tpacket_stats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A packet socket on an interface with its receive and transmit rings (TPACKET_V2) mapped. It
 * receives from the moment it is made.
 *
 * <p>Source: Linux {@code Documentation/networking/packet_mmap.rst}, {@code packet(7)}.
 */
final class PacketSocket implements AutoCloseable {
    /** {@code linux/if_packet.h}; the counterpart of PACKET_ADD_MEMBERSHIP. */
    private static final int PACKET_DROP_MEMBERSHIP = 2;

    private static final MemorySegment NOTHING = Arena.global().allocate(1).asSlice(0, 0);

    private final Fd fd;
    private final Mapping rings;
    private final PacketRingGeometry geometry;
    private final int index;
    private long drops;

    private PacketSocket(Fd fd, Mapping rings, PacketRingGeometry geometry, int index) {
        this.fd = fd;
        this.rings = rings;
        this.geometry = geometry;
        this.index = index;
    }

    /**
     * Opens a socket.
     *
     * @param fanout sockets of one group share the interface's frames by flow; -1 for no group
     */
    static PacketSocket open(
            String iface, PacketRingGeometry geometry, boolean qdiscBypass, int fanout) {
        int index = NetInterface.index(iface);
        // No protocol yet: nothing arrives before the rings are there.
        Fd fd = Sockets.socket(LibC.AF_PACKET(), LibC.SOCK_RAW(), 0, "packet socket on " + iface);
        Mapping rings = null;
        try (Arena arena = Arena.ofConfined()) {
            option(fd, Uapi.PACKET_VERSION(), Uapi.TPACKET_V2());
            // A frame the kernel cannot send is skipped instead of blocking those behind it.
            option(fd, Uapi.PACKET_LOSS(), 1);
            ignoreOutgoing(fd);
            if (qdiscBypass) {
                option(fd, Uapi.PACKET_QDISC_BYPASS(), 1);
            }
            MemorySegment req = tpacket_req.allocate(arena);
            tpacket_req.tp_block_size(req, geometry.blockSize());
            tpacket_req.tp_block_nr(req, geometry.blocks());
            tpacket_req.tp_frame_size(req, geometry.frameSize());
            tpacket_req.tp_frame_nr(req, geometry.frames());
            Sockets.setOption(fd, LibC.SOL_PACKET(), Uapi.PACKET_RX_RING(), req);
            Sockets.setOption(fd, LibC.SOL_PACKET(), Uapi.PACKET_TX_RING(), req);
            rings = Mapping.shared(fd, 0, 2 * geometry.bytes(), Mapping.READ | Mapping.WRITE);
            Sockets.bindPacket(fd, index, Uapi.ETH_P_ALL());
            if (fanout >= 0) {
                option(fd, Uapi.PACKET_FANOUT(), fanout);
            }
            return new PacketSocket(fd, rings, geometry, index);
        } catch (RuntimeException e) {
            if (rings != null) {
                rings.close();
            }
            fd.close();
            throw e;
        }
    }

    private static void option(Fd fd, int name, int value) {
        Sockets.setOption(fd, LibC.SOL_PACKET(), name, value);
    }

    /** Linux 4.20 and newer; older kernels mark such frames, and the receiver skips them. */
    private static void ignoreOutgoing(Fd fd) {
        try {
            option(fd, Uapi.PACKET_IGNORE_OUTGOING(), 1);
        } catch (NativeException e) {
            if (e.errno() != Errno.numberOf("ENOPROTOOPT")) {
                throw e;
            }
        }
    }

    /** The receive ring. */
    MemorySegment rxRing() {
        return rings.segment().asSlice(0, geometry.bytes());
    }

    /** The transmit ring. */
    MemorySegment txRing() {
        return rings.segment().asSlice(geometry.bytes(), geometry.bytes());
    }

    /** Joins or leaves promiscuous mode; it ends with the socket in any case. */
    void setPromiscuous(boolean on) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = packet_mreq.allocate(arena);
            packet_mreq.mr_ifindex(request, index);
            packet_mreq.mr_type(request, (short) Uapi.PACKET_MR_PROMISC());
            Sockets.setOption(
                    fd,
                    LibC.SOL_PACKET(),
                    on ? Uapi.PACKET_ADD_MEMBERSHIP() : PACKET_DROP_MEMBERSHIP,
                    request);
        }
    }

    /**
     * Has the kernel send what is in the transmit ring; does not wait.
     *
     * @return false when the interface does not take it now; call again later
     */
    boolean kick() {
        try {
            return Sockets.send(fd, NOTHING, LibC.MSG_DONTWAIT()) >= 0;
        } catch (NativeException e) {
            // The interface went down. The frames stay in the ring.
            return false;
        }
    }

    /** Frames lost because the receive ring was full, since the socket was made. */
    synchronized long drops() {
        if (fd.isOpen()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment stats = tpacket_stats.allocate(arena);
                Sockets.option(fd, LibC.SOL_PACKET(), Uapi.PACKET_STATISTICS(), stats);
                // The kernel starts again from zero with each reading.
                drops += tpacket_stats.tp_drops(stats) & 0xffff_ffffL;
            }
        }
        return drops;
    }

    /** Closes socket and rings; nobody may touch the rings any more. */
    @Override
    public synchronized void close() {
        drops();
        fd.close();
        rings.close();
    }
}
