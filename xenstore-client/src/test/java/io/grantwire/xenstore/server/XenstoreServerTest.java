package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import io.grantwire.xenstore.XenstorePermission;
import io.grantwire.xenstore.Xenstores;
import io.grantwire.xenstore.XsType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The server on its sockets: who connects where, what comes and goes, what survives. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class XenstoreServerTest {
    @TempDir Path dir;

    private Path socket;
    private XenstoreServer server;

    @BeforeEach
    void start() {
        socket = dir.resolve("xenstored.sock");
        server = XenstoreServer.start(ServerOptions.at(socket));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Path guest(int domid) {
        return dir.resolve("dom" + domid + ".sock");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> list = Files.list(dir)) {
            return list.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void socketsArePrivateAndNothingElseIsLeftLying() throws IOException {
        server.introduce(5, guest(5));
        assertEquals(List.of("dom5.sock", "xenstored.sock"), files());
        for (Path path : List.of(socket, guest(5))) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        }
        server.close();
        assertEquals(List.of(), files());
        server.close();
    }

    @Test
    void eachSocketHasItsDomainsRights() throws IOException {
        server.introduce(5, guest(5));
        server.introduce(6, guest(6));
        try (RawClient dom0 = new RawClient(socket);
                RawClient five = new RawClient(guest(5));
                RawClient six = new RawClient(guest(6))) {
            dom0.ask(XsType.MKDIR, "/local/domain/5");
            dom0.ask(XsType.SET_PERMS, "/local/domain/5", "n5");
            assertEquals("OK|", five.write("x", "1"));
            assertEquals("!EACCES|", six.write("x", "1"));
            assertEquals("!EACCES|", six.ask(XsType.READ, "/local/domain/5/x"));
            assertEquals("1", dom0.ask(XsType.READ, "/local/domain/5/x"));
        }
    }

    @Test
    void aSecondServerOnTheSameSocketIsRefused() throws IOException {
        XenstoreException e =
                assertThrows(
                        XenstoreException.class,
                        () -> XenstoreServer.start(ServerOptions.at(socket)));
        assertEquals("EADDRINUSE", e.errnoName());
        try (RawClient client = new RawClient(socket)) {
            assertEquals("tool|", client.ask(XsType.DIRECTORY, "/"));
        }
    }

    @Test
    void aDeadServersSocketIsReplaced() throws IOException {
        Path stale = dir.resolve("stale.sock");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stale));
        }
        assertTrue(Files.exists(stale));
        try (XenstoreServer other = XenstoreServer.start(ServerOptions.at(stale));
                RawClient client = new RawClient(other.socket())) {
            assertEquals("tool|", client.ask(XsType.DIRECTORY, "/"));
        }
    }

    @Test
    void aFileThatIsNoSocketIsLeftAlone() throws IOException {
        Path file = Files.writeString(dir.resolve("file"), "precious");
        XenstoreException e =
                assertThrows(
                        XenstoreException.class,
                        () -> XenstoreServer.start(ServerOptions.at(file)));
        assertEquals("EEXIST", e.errnoName());
        assertEquals("precious", Files.readString(file));
    }

    @Test
    void badPlacesForASocketAreNamed() {
        XenstoreException missing =
                assertThrows(
                        XenstoreException.class,
                        () ->
                                XenstoreServer.start(
                                        ServerOptions.at(dir.resolve("none").resolve("s"))));
        assertTrue(missing.getMessage().contains("check the directory"), missing.getMessage());
        XenstoreException tooLong =
                assertThrows(
                        XenstoreException.class,
                        () -> server.introduce(7, dir.resolve("x".repeat(108))));
        assertEquals("ENAMETOOLONG", tooLong.errnoName());
        assertFalse(server.introduced(7));
    }

    @Test
    void domainsComeAndGo() throws IOException {
        try (RawClient watcher = new RawClient(socket)) {
            watcher.ask(XsType.WATCH, "@introduceDomain", "in");
            watcher.ask(XsType.WATCH, "@releaseDomain", "out");
            assertEquals("@introduceDomain|in|", watcher.event());
            assertEquals("@releaseDomain|out|", watcher.event());
            server.introduce(5, guest(5));
            assertEquals("@introduceDomain|in|", watcher.event());
            assertTrue(server.introduced(5));
            assertEquals(Optional.of(guest(5)), server.socket(5));
            assertEquals("T|", watcher.ask(XsType.IS_DOMAIN_INTRODUCED, "5"));
            try (RawClient five = new RawClient(guest(5))) {
                five.ask(XsType.READ, "name");
                server.release(5);
                assertTrue(five.awaitHangUp());
            }
            assertEquals("@releaseDomain|out|", watcher.event());
            assertFalse(server.introduced(5));
            assertFalse(Files.exists(guest(5)));
            assertEquals(Optional.empty(), server.socket(5));
            server.introduce(5, guest(5));
            assertEquals("@introduceDomain|in|", watcher.event());
        }
    }

    @Test
    void whatCannotBeIntroducedOrReleasedIsRefused() {
        server.introduce(5, guest(5));
        assertEquals(
                "EEXIST",
                assertThrows(XenstoreException.class, () -> server.introduce(5, guest(55)))
                        .errnoName());
        assertEquals(
                "EADDRINUSE",
                assertThrows(XenstoreException.class, () -> server.introduce(6, guest(5)))
                        .errnoName());
        assertFalse(server.introduced(6));
        assertEquals(
                "ENOENT",
                assertThrows(XenstoreException.class, () -> server.release(9)).errnoName());
        assertThrows(IllegalArgumentException.class, () -> server.introduce(0, guest(0)));
        assertThrows(IllegalArgumentException.class, () -> server.introduce(0x7ff0, guest(0)));
        assertThrows(IllegalArgumentException.class, () -> server.release(0));
        server.close();
        assertThrows(IllegalStateException.class, () -> server.introduce(7, guest(7)));
    }

    @Test
    void aDomainIntroducedOverTheWireGetsItsSocket() throws IOException {
        Path place = dir.resolve("second.sock");
        try (XenstoreServer second =
                        XenstoreServer.start(
                                ServerOptions.at(place).withIntroducedSockets(this::guest));
                RawClient dom0 = new RawClient(second.socket());
                RawClient plain = new RawClient(socket)) {
            assertEquals("OK|", dom0.ask(XsType.INTRODUCE, "8", "1", "1"));
            try (RawClient eight = new RawClient(guest(8))) {
                assertEquals("!EACCES|", eight.ask(XsType.READ, "name"));
                // Introduced again: the connection stays, what it had under way does not.
                eight.ask(XsType.TRANSACTION_START, "");
                assertEquals("OK|", dom0.ask(XsType.INTRODUCE, "8", "1", "1"));
                assertEquals("!ENOENT|", eight.ask(1, XsType.TRANSACTION_END, new byte[] {'T', 0}));
                assertEquals("OK|", dom0.ask(XsType.RELEASE, "8"));
                assertTrue(eight.awaitHangUp());
            }
            assertEquals("OK|", plain.ask(XsType.INTRODUCE, "8", "1", "1"));
            assertEquals(Optional.empty(), server.socket(8));
        }
    }

    @Test
    void closingTheServerEndsItsConnections() throws IOException {
        try (RawClient client = new RawClient(socket)) {
            client.ask(XsType.READ, "/");
            server.close();
            assertTrue(client.awaitHangUp());
        }
        assertThrows(IOException.class, () -> new RawClient(socket));
    }

    @Test
    void aClosedConnectionTakesItsWatchesAndTransactionsAlong() throws IOException {
        server.introduce(5, guest(5));
        for (int round = 0; round < 3; round++) {
            try (RawClient five = new RawClient(guest(5))) {
                for (int i = 0; i < 10; i++) {
                    assertEquals((i + 1) + "|", five.ask(XsType.TRANSACTION_START, ""));
                }
                for (int i = 0; i < 128; i++) {
                    assertEquals("OK|", five.ask(XsType.WATCH, "x", "t" + i));
                }
            }
            // The server notices the end before it takes the next connection's requests or after;
            // asking dom0's usage report until it shows makes it certain.
            try (RawClient dom0 = new RawClient(socket)) {
                while (!dom0.ask(XsType.CONTROL, "quota", "5")
                        .contains("watches          :        0")) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void aSnapshotCarriesTheContentsToTheNextServer() throws IOException {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        try (RawClient dom0 = new RawClient(socket)) {
            dom0.write("/local/domain/5/name", "guest");
            dom0.ask(XsType.SET_PERMS, "/local/domain/5", "n5", "r6");
        }
        server.snapshot(image);
        server.close();
        server = XenstoreServer.start(ServerOptions.at(socket));
        assertThrows(
                IOException.class,
                () -> server.restore(new ByteArrayInputStream(new byte[] {1, 2, 3, 4, 5})));
        server.restore(new ByteArrayInputStream(image.toByteArray()));
        try (RawClient dom0 = new RawClient(socket)) {
            assertEquals("guest", dom0.ask(XsType.READ, "/local/domain/5/name"));
            assertEquals("n5|r6|", dom0.ask(XsType.GET_PERMS, "/local/domain/5"));
        }
    }

    @Test
    void aSkeletonHasWhatAGuestLooksFor() {
        server.introduce(5, guest(5));
        try (Xenstore dom0 = Xenstores.socket(socket);
                Xenstore five = Xenstores.socket(guest(5))) {
            DomainSkeleton.create(dom0, 0, "Domain-0");
            DomainSkeleton.create(dom0, 5, "vm1");
            assertEquals("Domain-0", dom0.readString("name"));
            assertEquals("vm1", five.readString("name"));
            assertEquals("5", five.readString("domid"));
            assertEquals("vm1", five.readString(five.readString("vm") + "/name"));
            assertEquals("online", five.readString("cpu/0/availability"));
            assertEquals(
                    List.of(new XenstorePermission(5, false, false)),
                    five.permissions("control/dpdk"));
            five.write("control/dpdk/0_mempool_gref", "8");
            five.write("data/x", "1");
            five.write("device/vif/0/state", "1");
            assertEquals("8", dom0.readString("/local/domain/5/control/dpdk/0_mempool_gref"));
            assertEquals(
                    "EACCES",
                    assertThrows(XenstoreException.class, () -> five.write("control/other", "1"))
                            .errnoName());
            assertEquals(
                    "EACCES",
                    assertThrows(XenstoreException.class, () -> five.write("name", "me"))
                            .errnoName());
            assertEquals(
                    "EACCES",
                    assertThrows(XenstoreException.class, () -> five.read("/local/domain/0/name"))
                            .errnoName());

            DomainSkeleton.create(dom0, 5, "vm1");
            assertFalse(five.exists("data/x"));
            String vm = five.readString("vm");
            DomainSkeleton.remove(dom0, 5);
            DomainSkeleton.remove(dom0, 5);
            assertFalse(dom0.exists("/local/domain/5"));
            assertFalse(dom0.exists(vm));
        }
    }
}
