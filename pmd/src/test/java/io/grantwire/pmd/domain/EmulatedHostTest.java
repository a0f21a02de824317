package io.grantwire.pmd.domain;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.xenstore.XenstoreException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EmulatedHostTest {
    private Path scratch;
    private Path dir;

    @BeforeEach
    void makeScratch() throws Exception {
        scratch = Files.createTempDirectory("gw");
        dir = scratch.resolve("host");
    }

    @AfterEach
    void removeScratch() throws Exception {
        try (Stream<Path> all = Files.walk(scratch)) {
            for (Path p : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(p);
            }
        }
    }

    private static String message(org.junit.jupiter.api.function.Executable body) {
        return assertThrows(DomainException.class, body).getMessage();
    }

    @Test
    void aGuestFindsItsSkeletonAndItsOwnRights() {
        try (EmulatedHost host = EmulatedHost.start(dir);
                Domain dom0 = Domains.open(DomainOptions.emulatedControl(dir));
                Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "VM1"))) {
            assertEquals(0, dom0.domid());
            assertEquals(1, guest.domid());
            assertTrue(guest.emulated());
            assertTrue(guest.description().contains("domain 1 of the emulated host in"));
            assertEquals("1", guest.xenstore().readString("domid"));
            assertEquals("VM1", dom0.xenstore().readString("/local/domain/1/name"));
            guest.xenstore().write("control/dpdk/x", "y");
            assertEquals("y", dom0.xenstore().readString("/local/domain/1/control/dpdk/x"));
            assertEquals(
                    "EACCES",
                    assertThrows(
                                    XenstoreException.class,
                                    () -> guest.xenstore().write("/local/domain/0/x", "y"))
                            .errnoName());
            assertEquals(dir.resolve("xenstored.sock"), host.xenstoreSocket());
        }
    }

    @Test
    void sharedPagesAreTheSamePages() {
        try (EmulatedHost host = EmulatedHost.start(dir);
                Domain dom0 = Domains.open(DomainOptions.emulatedControl(dir));
                Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, ""));
                GrantShare share = guest.sharer().share(0, 2, true);
                GrantMapping mapping =
                        dom0.mapper()
                                .map(
                                        guest.domid(),
                                        new int[] {share.gref(0), share.gref(1)},
                                        true)) {
            share.segment().set(ValueLayout.JAVA_BYTE, 4096, (byte) 42);
            assertEquals(42, mapping.segment().get(ValueLayout.JAVA_BYTE, 4096));
            assertEquals(dir, host.dir());
        }
    }

    @Test
    void keysOutliveTheProcessButNotTheDomain() {
        try (EmulatedHost host = EmulatedHost.start(dir);
                Domain dom0 = Domains.open(DomainOptions.emulatedControl(dir))) {
            try (Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "VM1"))) {
                guest.xenstore().write("control/dpdk/x", "y");
                assertTrue(message(() -> host.destroyDomain(1)).contains("in use by process"));
            }
            assertEquals("y", dom0.xenstore().readString("/local/domain/1/control/dpdk/x"));
            try (Domain again =
                    Domains.open(DomainOptions.emulatedGuest(dir, "VM1").withDomid(1))) {
                assertEquals("y", again.xenstore().readString("control/dpdk/x"));
            }
            destroyOnceItsProcessHasGone(host, 1);
            assertNull(dom0.xenstore().readString("/local/domain/1/domid"));
            assertFalse(Files.exists(dir.resolve("dom1")));
            assertTrue(message(() -> host.destroyDomain(1)).contains("there is no domain 1"));
            try (Domain fresh = Domains.open(DomainOptions.emulatedGuest(dir, "new"))) {
                assertEquals(1, fresh.domid());
                assertEquals("new", fresh.xenstore().readString("name"));
            }
        }
    }

    /** The host learns that a process has gone from the end of its connection, a moment later. */
    private static void destroyOnceItsProcessHasGone(EmulatedHost host, int domid) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (true) {
            try {
                host.destroyDomain(domid);
                return;
            } catch (DomainException e) {
                if (!e.getMessage().contains("in use by process") || System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void aDomainIsHeldByOneProcess() {
        try (EmulatedHost host = EmulatedHost.start(dir);
                Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "").withDomid(7))) {
            assertEquals(7, guest.domid());
            String refusal =
                    message(() -> Domains.open(DomainOptions.emulatedGuest(dir, "").withDomid(7)));
            assertTrue(refusal.contains("EBUSY"), refusal);
            try (Domain other = Domains.open(DomainOptions.emulatedGuest(dir, ""))) {
                assertNotEquals(7, other.domid());
            }
            assertEquals(dir, host.dir());
        }
    }

    @Test
    void withoutAHostAGuestIsToldHowToStartOne() {
        String refusal = message(() -> Domains.open(DomainOptions.emulatedGuest(dir, "")));
        assertTrue(
                refusal.contains(
                        "no emulated host in " + dir + "; start one with: ./grantwire switch"),
                refusal);
        assertFalse(Files.exists(dir), "looking makes nothing");
    }

    @Test
    void aBusyDirectoryIsRefusedAndNamesTheProcess() {
        try (EmulatedHost host = EmulatedHost.start(dir)) {
            String refusal = message(() -> EmulatedHost.start(dir));
            assertTrue(refusal.contains("is busy"), refusal);
            assertTrue(refusal.contains("process " + ProcessHandle.current().pid()), refusal);
            // The refused start must not have harmed the running one.
            assertDoesNotThrow(
                    () -> Domains.open(DomainOptions.emulatedGuest(host.dir(), "")).close());
            assertThrows(DomainException.class, () -> EmulatedHost.start(dir));
        }
    }

    @Test
    void whatADeadHostLeftIsCleaned() throws Exception {
        Files.createDirectory(
                dir,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(dir.resolve("dom3"));
        for (String left :
                new String[] {"xenstored.sock", "hypervisor.sock", "dom3/xenstored.sock"}) {
            try (var channel =
                    java.nio.channels.ServerSocketChannel.open(
                            java.net.StandardProtocolFamily.UNIX)) {
                channel.bind(java.net.UnixDomainSocketAddress.of(dir.resolve(left)));
            }
        }
        Files.writeString(dir.resolve("host.pid"), "4194304\n");
        Files.createFile(dir.resolve("host.lock"));
        Files.createFile(dir.resolve("notes.txt"));
        try (EmulatedHost host = EmulatedHost.start(dir);
                Domain guest = Domains.open(DomainOptions.emulatedGuest(host.dir(), ""))) {
            assertEquals(1, guest.domid());
            assertFalse(Files.exists(dir.resolve("dom3")));
        }
        try (Stream<Path> left = Files.list(dir)) {
            assertEquals(
                    java.util.List.of(dir.resolve("notes.txt")),
                    left.toList(),
                    "a directory that was there stays, with what is not the host's");
        }
    }

    @Test
    void nothingIsLeftWhenAHostCloses() {
        EmulatedHost host = EmulatedHost.start(dir);
        Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "VM1"));
        assertTrue(Files.exists(dir.resolve("dom1/xenstored.sock")));
        host.close();
        host.close();
        guest.close();
        assertFalse(Files.exists(dir));
        // And the same directory can be used again.
        EmulatedHost.start(dir).close();
        assertFalse(Files.exists(dir));
    }

    @Test
    void aDirectoryThatOthersCanWriteIsRefused() throws Exception {
        Files.createDirectory(dir);
        for (String mode : new String[] {"rwxrwxr-x", "rwx----w-"}) {
            Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString(mode));
            assertTrue(message(() -> EmulatedHost.start(dir)).contains("chmod go-w " + dir));
            assertEquals(mode, PosixFilePermissions.toString(Files.getPosixFilePermissions(dir)));
        }
    }

    @Test
    void aDirectoryThatOthersCanReadWillDoAndIsLeftThere() throws Exception {
        Files.createDirectory(dir);
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (EmulatedHost host = EmulatedHost.start(dir)) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(host.xenstoreSocket())));
        }
        try (var left = Files.list(dir)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void aDirectoryOfAnotherUserIsRefusedByHostsAndGuests() throws Exception {
        org.junit.jupiter.api.Assumptions.assumeTrue(
                io.grantwire.bindings.Process.euid() == 0, "needs root, to give a directory away");
        Files.createDirectory(dir);
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwx------"));
        Files.setAttribute(dir, "unix:uid", 65534);
        assertTrue(message(() -> EmulatedHost.start(dir)).contains("belongs to user 65534"));
        assertTrue(
                message(() -> Domains.open(DomainOptions.emulatedGuest(dir, "")))
                        .contains("belongs to user 65534"));
    }

    @Test
    void theDirectoryIsPrivate() throws Exception {
        try (EmulatedHost host = EmulatedHost.start(dir)) {
            assertEquals(
                    "rwx------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(host.dir())));
        }
    }

    @Test
    void aPathTooLongForSocketsIsRefusedBeforeAnythingIsMade() {
        Path deep = scratch.resolve("x".repeat(90));
        String refusal = message(() -> EmulatedHost.start(deep));
        assertTrue(refusal.contains("choose a shorter one with --dir"), refusal);
        assertFalse(Files.exists(deep));
    }

    @Test
    void onAMachineWithoutXenTheReasonIsGiven() {
        org.junit.jupiter.api.Assumptions.assumeTrue(
                Domains.xenUnavailable().isPresent(), "this machine is a Xen domain");
        String refusal =
                message(() ->
                        Domains.open(new DomainOptions(DomainOptions.Mode.XEN, null, -1, "")));
        assertTrue(refusal.startsWith("no Xen here: "), refusal);
    }

    @Test
    void theStoreCanBeStoppedAndComesBackWithWhatItHad() {
        try (EmulatedHost host = EmulatedHost.start(dir);
                Domain dom0 = Domains.open(DomainOptions.emulatedControl(dir));
                Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "VM1"))) {
            DomainOptions second = DomainOptions.emulatedGuest(dir, "VM2").withDomid(2);
            Domains.open(second).close();
            guest.xenstore().write("control/dpdk/x", "y");
            dom0.xenstore().write("/local/domain/2/control/dpdk/x", "y");
            host.stopStore();
            host.stopStore();
            assertFalse(Files.exists(host.xenstoreSocket()));
            assertFalse(Files.exists(dir.resolve("dom1/xenstored.sock")));
            DomainException refusal =
                    assertThrows(
                            DomainException.class,
                            () -> Domains.open(DomainOptions.emulatedGuest(dir, "").withDomid(3)));
            assertTrue(refusal.getMessage().contains("store is stopped"), refusal::getMessage);
            host.destroyDomain(2);
            host.startStore();
            host.startStore();
            assertEquals("y", guest.xenstore().readString("control/dpdk/x"));
            assertEquals(List.of("0", "1"), dom0.xenstore().directory("/local/domain"));
            assertFalse(Files.exists(dir.resolve("dom2")));
            try (Domain fresh = Domains.open(second)) {
                assertEquals("VM2", fresh.xenstore().readString("name"));
                assertNull(fresh.xenstore().readString("control/dpdk/x"));
            }
        }
    }

    /** Its sockets have the same names, but what is behind them is somebody else's. */
    @Test
    void aDomainDoesNotTakeTheStoreOfAnotherHost() throws Exception {
        EmulatedHost host = EmulatedHost.start(dir);
        try (Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "old"))) {
            assertEquals("old", guest.xenstore().readString("name"));
            host.close();
            try (EmulatedHost next = EmulatedHost.start(dir);
                    Domain other = Domains.open(DomainOptions.emulatedGuest(dir, "new"))) {
                assertEquals(guest.domid(), other.domid());
                XenstoreException e =
                        assertThrows(
                                XenstoreException.class, () -> guest.xenstore().readString("name"));
                assertEquals("ECONNRESET", e.errnoName());
                assertEquals("new", other.xenstore().readString("name"));
                assertEquals(next.dir(), dir);
            }
        }
    }
}
