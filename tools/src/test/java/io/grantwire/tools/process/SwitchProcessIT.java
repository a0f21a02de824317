package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Switch and guests started by hand, each in its own process, as the README shows it. */
class SwitchProcessIT {
    @TempDir Path dir;
    private Path host;
    private final List<Program> programs = new ArrayList<>();

    @BeforeEach
    void packaged() {
        Program.assumePackaged();
        host = dir.resolve("host");
    }

    @AfterEach
    void end() {
        programs.reversed().forEach(Program::close);
    }

    private Program start(Object... args) {
        Program program = Program.start(args);
        programs.add(program);
        return program;
    }

    private Program guest(int domid, String mac, String peer, String... more) {
        List<Object> args =
                new ArrayList<>(
                        List.of(
                                "testpmd",
                                "-c",
                                "f",
                                "-n",
                                "4",
                                "--dir",
                                host,
                                "--domid",
                                domid,
                                "--vdev=eth_xenvirt0,mac=" + mac,
                                "--",
                                "-i",
                                "--eth-peer=0," + peer));
        args.addAll(List.of(more));
        return start(args.toArray());
    }

    @Test
    void guestsTalkThroughTheSwitch() {
        Program vswitch =
                start(
                        "switch",
                        "-c",
                        "f",
                        "-n",
                        "3",
                        "--xen-dom0",
                        "--dir",
                        host,
                        "--",
                        "-p",
                        "1",
                        "--vm2vm",
                        "1",
                        "--stats",
                        "1");
        vswitch.awaitOut("started an emulated host in " + host);
        Program vm1 = guest(1, "00:00:00:00:00:11", "00:00:00:00:00:22");
        vswitch.awaitOut(
                "\nDATA:(0) MAC_ADDRESS 00:00:00:00:00:11 and VLAN_TAG 1000 registered.\n");
        Program vm2 = guest(2, "00:00:00:00:00:22", "00:00:00:00:00:11");
        vswitch.awaitOut(
                "\nDATA:(1) MAC_ADDRESS 00:00:00:00:00:22 and VLAN_TAG 1001 registered.\n");

        vm2.type("set fwd rxonly", "start");
        vm2.awaitOut("rxonly packet forwarding - CRC stripping");
        vm1.type("set fwd txonly retry", "start");
        Program.await(
                () -> count(vm2.type("show port stats 0"), "RX-packets: (\\d+)") > 10_000,
                "10000 frames at VM2");
        Program ctl = start("switch", "ctl", "--dir", host, "status", "--json");
        assertEquals(0, ctl.awaitEnd(), ctl::err);
        assertEquals(
                2,
                JsonParser.parseString(ctl.out())
                        .getAsJsonObject()
                        .getAsJsonArray("devices")
                        .size());
        vm1.type("stop", "show port xstats 0", "quit");
        assertEquals(0, vm1.awaitEnd(), () -> vm1.out() + vm1.err());
        vm2.type("stop", "quit");
        assertEquals(0, vm2.awaitEnd(), () -> vm2.out() + vm2.err());
        assertTrue(vm1.out().contains("Accumulated forward statistics for all ports"));
        assertTrue(vm1.out().contains("tx_good_packets: "));
        assertTrue(vm1.out().endsWith("Bye...\n"), vm1.out());

        vswitch.awaitOut("#####(0) Device has been removed from data core");
        vswitch.awaitOut("Statistics for device 0 ------------------------------");
        vswitch.interrupt();
        assertEquals(0, vswitch.awaitEnd(), () -> vswitch.out() + vswitch.err());
        assertFalse(Files.exists(host), host + " is left");
    }

    private static long count(Program program, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(program.out());
        long last = 0;
        while (matcher.find()) {
            last = Long.parseLong(matcher.group(1));
        }
        return last;
    }

    @Test
    void theSwitchJoinsAHostThatRunsAndReportsJson() {
        Program alone = start("host", "--dir", host).awaitOut("emulated host in");
        Program vswitch = start("switch", "-p", "1", "--dir", host, "--json", "--stats", "1");
        vswitch.awaitOut("\"devices\":[]");
        guest(5, "00:00:00:00:00:55", "00:00:00:00:00:66");
        vswitch.awaitOut("\"mac\":\"00:00:00:00:00:55\"");
        JsonObject line =
                JsonParser.parseString(vswitch.out().lines().toList().getLast()).getAsJsonObject();
        JsonObject device = line.getAsJsonArray("devices").get(0).getAsJsonObject();
        assertEquals(5, device.get("domid").getAsInt());
        assertEquals(1000, device.get("vlan").getAsInt());
        assertTrue(vswitch.err().contains("XENHOST:joined the emulated host in " + host));
        vswitch.interrupt();
        assertEquals(0, vswitch.awaitEnd(), () -> vswitch.err());
        assertTrue(Files.exists(host.resolve("xenstored.sock")));
        alone.interrupt();
        assertEquals(0, alone.awaitEnd());
        assertFalse(Files.exists(host));
    }

    @Test
    void aGuestWithoutAHostIsToldWhatToType() {
        Program guest = guest(1, "00:00:00:00:00:11", "00:00:00:00:00:22");
        assertEquals(1, guest.awaitEnd());
        assertEquals(1, guest.err().lines().count(), guest.err());
        assertTrue(
                guest.err().startsWith("grantwire testpmd: no emulated host in " + host),
                guest.err());
        assertTrue(guest.err().contains("./grantwire switch -p 1 --dir " + host), guest.err());
    }

    @Test
    void twoProcessesCannotBeOneGuest() {
        start("host", "--dir", host).awaitOut("emulated host in");
        Program first = guest(1, "00:00:00:00:00:11", "00:00:00:00:00:22");
        first.awaitOut("Done\n");
        Program second = guest(1, "00:00:00:00:00:12", "00:00:00:00:00:22");
        assertEquals(1, second.awaitEnd());
        assertEquals(1, second.err().lines().count(), second.err());
        assertTrue(second.err().contains("EBUSY"), second.err());
        assertTrue(second.err().contains(Long.toString(first.pid())), second.err());
    }

    @Test
    void aBatchOfCommandsFailsWhenOneDoes() {
        Program batch = start("testpmd", "--vdev=net_null0", "--", "-i");
        batch.type("start", "fly", "stop").endInput();
        assertEquals(1, batch.awaitEnd());
        assertEquals("grantwire testpmd: a command failed\n", batch.err());
        assertTrue(batch.out().contains("testpmd> fly\nCommand not found: fly (try help)\n"));
        assertTrue(batch.out().contains("Accumulated forward statistics"), batch.out());
    }

    @Test
    void withoutInteractionItForwardsUntilEnterOrASignal() {
        Program enter = start("testpmd", "--vdev=net_null0", "--", "--forward-mode=rxonly");
        enter.awaitOut("Press enter to exit");
        enter.type("");
        assertEquals(0, enter.awaitEnd(), () -> enter.out() + enter.err());
        assertTrue(enter.out().endsWith("Bye...\n"));

        Program periodic = start("testpmd", "--vdev=net_null0", "--", "--stats-period=1");
        periodic.awaitOut("NIC statistics for port 0");
        periodic.interrupt();
        assertEquals(130, periodic.awaitEnd(), () -> periodic.out() + periodic.err());
        assertTrue(periodic.out().endsWith("Bye...\n"), periodic.out());
        assertEquals("", periodic.err());
    }
}
