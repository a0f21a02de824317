package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.Uapi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link NetInterface} and {@link Sockets} on the loopback and on TAP interfaces of their own. */
@Timeout(60)
class NetInterfaceTest {
    private static final int EXPERIMENTAL = 0x88B5;
    private static final Duration LONG = Duration.ofSeconds(30);

    @Test
    void theLoopbackIsKnown() {
        assertTrue(NetInterface.index("lo") > 0);
        assertArrayEquals(new byte[6], NetInterface.macAddress("lo"));
        assertTrue(NetInterface.mtu("lo") >= 1280);
        assertTrue(NetInterface.flags("lo") != 0);
    }

    @Test
    void anAbsentInterfaceIsReportedByName() {
        NativeException e =
                assertThrows(NativeException.class, () -> NetInterface.index("gwabsent"));
        assertEquals("ENODEV", e.errnoName());
        assertEquals("list the interfaces with: ip link", e.hint());
        e = assertThrows(NativeException.class, () -> NetInterface.mtu("gwabsent"));
        assertEquals("ioctl(SIOCGIFMTU, gwabsent)", e.call());
        assertThrows(NativeException.class, () -> Sockets.packetSocket("gwabsent", EXPERIMENTAL));
    }

    @Test
    void namesThatNoInterfaceCanHaveAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> NetInterface.mtu(""));
        assertThrows(IllegalArgumentException.class, () -> NetInterface.mtu("sixteen-letters-"));
        assertThrows(
                IllegalArgumentException.class,
                () -> NetInterface.setMacAddress("lo", new byte[5]));
    }

    @Test
    void portsAndTypesAreInNetworkOrder() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[2]);
        bytes.set(
                JAVA_SHORT.withByteAlignment(1).withOrder(ByteOrder.nativeOrder()),
                0,
                Sockets.networkOrder(0x0806));
        assertArrayEquals(new byte[] {8, 6}, bytes.toArray(JAVA_BYTE));
    }

    @Test
    void aFrameSentOnTheLoopbackIsReceivedThere() {
        try (Fd socket = packetSocketOrSkip();
                Arena arena = Arena.ofConfined()) {
            socket.setNonBlocking(true);
            MemorySegment frame = arena.allocate(60);
            frame.set(JAVA_BYTE, 12, (byte) (EXPERIMENTAL >>> 8));
            frame.set(JAVA_BYTE, 13, (byte) EXPERIMENTAL);
            frame.set(JAVA_BYTE, 59, (byte) 42);
            MemorySegment buf = arena.allocate(2048);
            assertEquals(-1, Sockets.receive(socket, buf, 0));
            assertEquals(60, Sockets.send(socket, frame, 0));
            assertTrue(socket.pollReadable(LONG));
            assertEquals(60, Sockets.receive(socket, buf, 0));
            assertEquals(42, buf.get(JAVA_BYTE, 59));
        }
    }

    @Test
    void socketOptionsCanBeSetAndRead() {
        UnixSocket[] pair = UnixSocket.pair(UnixSocket.Type.STREAM);
        try (UnixSocket a = pair[0];
                UnixSocket _ = pair[1]) {
            Sockets.setOption(a.fd(), LibC.SOL_SOCKET(), LibC.SO_SNDBUF(), 65536);
            assertEquals(2 * 65536, Sockets.option(a.fd(), LibC.SOL_SOCKET(), LibC.SO_SNDBUF()));
            NativeException e =
                    assertThrows(
                            NativeException.class,
                            () -> Sockets.setOption(a.fd(), LibC.SOL_SOCKET(), 9999, 1));
            assertEquals("ENOPROTOOPT", e.errnoName());
        }
    }

    @Test
    @Tag("machine")
    void aTapInterfaceCarriesFramesBothWaysAndGoesWhenClosed() {
        NetInterface.Tap tap = tapOrSkip();
        String name = tap.name();
        try (Fd fd = tap.fd();
                Arena arena = Arena.ofConfined()) {
            assertTrue(name.startsWith("gwtest"), name);
            byte[] mac = {2, 0, 0, 0, 0x11, 0x22};
            NetInterface.setMacAddress(name, mac);
            assertArrayEquals(mac, NetInterface.macAddress(name));
            NetInterface.setMtu(name, 1400);
            assertEquals(1400, NetInterface.mtu(name));
            assertFalse(NetInterface.isRunning(name));
            NetInterface.setUp(name, true);
            assertTrue(NetInterface.isRunning(name));
            try (Fd socket = Sockets.packetSocket(name, EXPERIMENTAL)) {
                MemorySegment frame = arena.allocate(60);
                frame.set(JAVA_BYTE, 0, (byte) 2);
                frame.set(JAVA_BYTE, 12, (byte) (EXPERIMENTAL >>> 8));
                frame.set(JAVA_BYTE, 13, (byte) EXPERIMENTAL);
                assertEquals(60, fd.write(frame));
                assertTrue(socket.pollReadable(LONG));
                assertEquals(60, Sockets.receive(socket, arena.allocate(2048), 0));
                NativeException e =
                        assertThrows(
                                NativeException.class,
                                () -> Sockets.send(socket, arena.allocate(3000), 0));
                assertEquals("EMSGSIZE", e.errnoName());
            }
            NativeException busy =
                    assertThrows(
                            NativeException.class,
                            () -> NetInterface.tap(name, Uapi.IFF_NO_PI()).fd().close());
            assertEquals("EBUSY", busy.errnoName());
        }
        assertThrows(NativeException.class, () -> NetInterface.index(name));
    }

    private static Fd packetSocketOrSkip() {
        try {
            return Sockets.packetSocket("lo", EXPERIMENTAL);
        } catch (NativeException e) {
            return abort("packet sockets: " + e.getMessage());
        }
    }

    private static NetInterface.Tap tapOrSkip() {
        try {
            return NetInterface.tap("gwtest%d", Uapi.IFF_NO_PI());
        } catch (NativeException e) {
            return abort("TAP interfaces: " + e.getMessage());
        }
    }
}
