package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The switch on a wire of the kernel's, a veth pair or a tap, in a network namespace of its own: a
 * capture is played onto the wire and what comes back is compared; the kernel pings a guest.
 */
@Tag("machine")
class WireProcessIT {
    private static final String GUEST_MAC = "00:00:00:00:00:11";

    @TempDir Path dir;
    private final String namespace = "gwwire" + ProcessHandle.current().pid();
    private final List<Program> programs = new ArrayList<>();
    private boolean made;

    @BeforeEach
    void makeNamespace() {
        Program.assumePackaged();
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/ip")), "needs ip (iproute2)");
        assumeTrue(Files.exists(Path.of("/dev/net/tun")), "needs /dev/net/tun (modprobe tun)");
        try {
            Program.run("ip", "netns", "add", namespace);
            made = true;
        } catch (AssertionError e) {
            assumeTrue(false, "cannot make a network namespace: " + e.getMessage());
        }
        // The kernel's own neighbour discovery would be on the wire too.
        inside(
                "sh",
                "-c",
                "for f in all default; do p=/proc/sys/net/ipv6/conf/$f/disable_ipv6;"
                        + " [ ! -e $p ] || echo 1 > $p; done");
        inside("ip", "link", "set", "lo", "up");
    }

    @AfterEach
    void removeNamespace() {
        programs.reversed().forEach(Program::close);
        if (made) {
            Program.run("ip", "netns", "delete", namespace);
        }
    }

    private String inside(String... command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        all.addAll(List.of(command));
        return Program.run(all.toArray(String[]::new));
    }

    private Program startInside(Object... args) {
        Program program = Program.startUnder(List.of("ip", "netns", "exec", namespace), args);
        programs.add(program);
        return program;
    }

    private void makeVeth() {
        inside("ip", "link", "add", "wire0", "type", "veth", "peer", "name", "wire1");
        inside("ip", "link", "set", "wire0", "up");
        inside("ip", "link", "set", "wire1", "up");
    }

    @Test
    void playedCaptureOverAVethPair() throws Exception {
        makeVeth();
        play("af_packet:wire1");
    }

    @Test
    void playedCaptureOverATap() throws Exception {
        play("tap:wire0");
    }

    @Test
    void pingOverAVethPair() {
        assumePing();
        makeVeth();
        ping("af_packet:wire1");
    }

    @Test
    void pingOverATap() {
        assumePing();
        ping("tap:wire0");
    }

    /** Puts frames on the kernel's end of the wire, and looks there for what comes back. */
    private void play(String uplink) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/tcpdump")), "needs tcpdump");
        Random random = new Random(5);
        List<byte[]> input = new ArrayList<>();
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            byte[] frame = Captures.frame(random, 0x11, 1000, 64 + 25 * i);
            input.add(frame);
            expected.add(Captures.readdressed(frame, 0x33, 0x22, 1001));
        }
        Path in = dir.resolve("in.pcap");
        Captures.write(in, input);
        Path seen = dir.resolve("seen.pcap");

        Program vswitch = startSwitch(uplink);
        guest(vswitch, 1, "00:00:00:00:00:11", "00:00:00:00:00:22");
        guest(vswitch, 2, "00:00:00:00:00:22", "00:00:00:00:00:33");
        inside("ip", "link", "set", "wire0", "up");
        // What comes in on one port goes out of the other: the capture to the wire, and what the
        // wire brings back to another capture.
        Program player =
                startInside(
                        "testpmd",
                        "--vdev",
                        "net_pcap0,rx_pcap=" + in + ",tx_pcap=" + seen,
                        "--vdev",
                        "net_af_packet0,iface=wire0",
                        "--",
                        "-i",
                        "--tx-retry");
        player.type("start");
        Program.await(
                () ->
                        player.type("show port xstats 0")
                                .out()
                                .contains("tx_good_packets: " + expected.size()),
                () -> "all frames back: " + tail(vswitch.out()) + tail(player.out()));
        player.type("stop", "quit");
        assertEquals(0, player.awaitEnd(), () -> player.out() + player.err());
        List<byte[]> frames = Captures.read(seen);
        assertEquals(expected.size(), frames.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), frames.get(i), "frame " + i);
        }
        String dumped = Program.run("tcpdump", "-nn", "-e", "-r", seen.toString());
        assertEquals(
                expected.size(),
                dumped.lines()
                        .filter(line ->
                                line.contains("00:00:00:00:00:22 > 00:00:00:00:00:33")
                                        && line.contains("vlan 1001"))
                        .count(),
                dumped);
        vswitch.interrupt();
        assertEquals(0, vswitch.awaitEnd(), () -> vswitch.out() + vswitch.err());
    }

    private static String tail(String text) {
        return text.substring(Math.max(0, text.length() - 1500));
    }

    private Program startSwitch(String uplink) {
        Program vswitch =
                startInside(
                        "switch",
                        "-p",
                        "1",
                        "--dir",
                        dir.resolve("host"),
                        "--uplink",
                        uplink,
                        "--flood",
                        "1");
        return vswitch.awaitOut("Procesing on Core");
    }

    private Program guest(Program vswitch, int domid, String mac, String peer) {
        Program guest =
                startInside(
                        "testpmd",
                        "--dir",
                        dir.resolve("host"),
                        "--domid",
                        domid,
                        "--vdev",
                        "eth_xenvirt0,mac=" + mac,
                        "--",
                        "-i",
                        "-a",
                        peer == null ? "--forward-mode=icmpecho" : "--forward-mode=mac",
                        "--eth-peer=0," + (peer == null ? mac : peer));
        vswitch.awaitOut("MAC_ADDRESS " + mac + " and VLAN_TAG ");
        return guest.awaitOut("nb forwarding cores=1");
    }

    private static void assumePing() {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/ping"))
                        || Files.isExecutable(Path.of("/bin/ping")),
                "needs ping (iputils-ping)");
    }

    /** Pings from a VLAN interface on top of the kernel's end of the wire. */
    private void ping(String uplink) {
        Program vswitch = startSwitch(uplink);
        Program guest = guest(vswitch, 1, GUEST_MAC, null);
        try {
            inside(
                    "ip", "link", "add", "link", "wire0", "name", "guests", "type", "vlan", "id",
                    "1000");
        } catch (AssertionError e) {
            assumeTrue(false, "this kernel has no VLAN interfaces (modprobe 8021q)");
        }
        inside("ip", "link", "set", "wire0", "up");
        inside("ip", "link", "set", "guests", "up");
        inside("ip", "addr", "add", "10.9.0.1/24", "dev", "guests");

        String pinged = inside("ping", "-c", "5", "-i", "0.2", "-W", "10", "10.9.0.2");
        assertTrue(pinged.contains(" 0% packet loss"), pinged);
        assertTrue(inside("ip", "neigh").contains(GUEST_MAC), pinged);

        guest.type("stop", "quit");
        assertEquals(0, guest.awaitEnd(), () -> guest.out() + guest.err());
        vswitch.interrupt();
        assertEquals(0, vswitch.awaitEnd(), () -> vswitch.out() + vswitch.err());
    }
}
