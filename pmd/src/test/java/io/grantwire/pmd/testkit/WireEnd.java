package io.grantwire.pmd.testkit;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.Sockets;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.Uapi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** The other end of a device's wire: a plain packet socket on an interface. */
public final class WireEnd implements AutoCloseable {
    private static final int MAX = 65_536;

    private final Fd fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment in = arena.allocate(MAX);

    /** Opens the socket; it sees what arrives at the interface, not what leaves it. */
    public WireEnd(String iface) {
        fd = Sockets.packetSocket(iface, Uapi.ETH_P_ALL());
        Sockets.setOption(fd, LibC.SOL_PACKET(), Uapi.PACKET_IGNORE_OUTGOING(), 1);
        Sockets.setOption(fd, LibC.SOL_SOCKET(), LibC.SO_RCVBUF(), 1 << 20);
    }

    /** A frame in memory of this end, to be sent many times. */
    public MemorySegment frame(byte[] bytes) {
        MemorySegment frame = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, frame, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    /** Sends a frame; false when the interface takes none now. Allocates nothing. */
    public boolean send(MemorySegment frame) {
        try {
            return Sockets.send(fd, frame, LibC.MSG_DONTWAIT()) >= 0;
        } catch (NativeException e) {
            // The socket says once that the interface was down before.
            return Sockets.send(fd, frame, LibC.MSG_DONTWAIT()) >= 0;
        }
    }

    /** Sends a frame. */
    public boolean send(byte[] bytes) {
        try (Arena once = Arena.ofConfined()) {
            MemorySegment frame = once.allocate(bytes.length);
            MemorySegment.copy(bytes, 0, frame, ValueLayout.JAVA_BYTE, 0, bytes.length);
            return send(frame);
        }
    }

    /** What has arrived since the last call. */
    public List<byte[]> received() {
        List<byte[]> frames = new ArrayList<>();
        while (true) {
            int n;
            try {
                n = Sockets.receive(fd, in, LibC.MSG_DONTWAIT());
            } catch (NativeException e) {
                // The interface was down for a while; the socket says so once.
                continue;
            }
            if (n < 0) {
                return frames;
            }
            frames.add(in.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Override
    public void close() {
        fd.close();
        arena.close();
    }
}
