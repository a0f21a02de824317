package io.grantwire.tools.testpmd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.tools.InProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the options and commands about network cards ask of a device, and what they print. */
class NicCommandsTest {
    private static final String NIC = "net_fakenic0";

    @TempDir Path dir;
    private String options = "--rxq=4 --txq=4";

    @BeforeAll
    static void registerCard() {
        FakeNic.register();
    }

    private InProcess.Result batch(String... lines) throws IOException {
        Path file = dir.resolve("commands");
        Files.write(file, List.of(lines));
        List<String> args = new ArrayList<>(List.of("testpmd", "--vdev=" + NIC, "--", "-i"));
        args.addAll(Arrays.stream(options.split(" ")).filter(o -> !o.isEmpty()).toList());
        args.add("--cmdline-file=" + file);
        return InProcess.run(args.toArray(String[]::new));
    }

    private String output(String... lines) throws IOException {
        InProcess.Result r = batch(lines);
        assertEquals(0, r.status(), r.out() + r.err());
        return r.out();
    }

    private static EthConfig config() {
        return FakeNic.named(NIC).configs.getLast();
    }

    private static void has(String text, String part) {
        assertTrue(text.contains(part), "no '" + part + "' in\n" + text);
    }

    @Test
    void packetMemoryIsTheDevicesOwn() throws IOException {
        output("show port info 0");
        assertEquals(1, FakeNic.named(NIC).allocations.get());
    }

    @Test
    void severalQueuesAreSpreadOverByIpAddressesAndHaveAStreamEach() throws IOException {
        String out = output("show config fwd", "show config rxtx");
        assertEquals(4, config().rxQueues());
        assertEquals(Set.of(RssType.IPV4, RssType.IPV6), config().rss().types());
        has(out, "streams=4");
        has(out, "  RX P=0/Q=3 (socket 0) -> TX P=0/Q=3 (socket 0) peer=02:00:00:00:00:00\n");
        has(out, "  RX queues=4 - RX desc=128 - RX free threshold=0\n");
    }

    @ParameterizedTest
    @CsvSource({
        "--rxq=4 --rss-udp,UDP_IPV4",
        "--rxq=4 --rss-ip,IPV4 IPV6",
        "--rxq=4 --disable-rss,''",
        "--rxq=1,''",
        "--rxq=1 --rss-udp,''",
    })
    void whatIsHashedFollowsTheOptions(String given, String types) throws IOException {
        options = given;
        output("show config rxtx");
        Set<String> names = new java.util.HashSet<>();
        config().rss().types().forEach(type -> names.add(type.name()));
        assertEquals(types.isEmpty() ? Set.of() : Set.of(types.split(" ")), names);
    }

    @Test
    void offloadsFollowTheOptions() throws IOException {
        options = "--enable-rx-cksum --enable-hw-vlan-strip --enable-hw-vlan-filter";
        output("show config rxtx");
        assertEquals(
                Set.of(
                        EthOffload.RX_CHECKSUM,
                        EthOffload.RX_VLAN_STRIP,
                        EthOffload.RX_VLAN_FILTER,
                        EthOffload.TX_MULTI_SEGS),
                config().offloads());
    }

    @Test
    void longFramesAreScatteredWhereABufferIsTooSmall() throws IOException {
        options = "--max-pkt-len=9018";
        has(output("show port info 0"), "MTU: 9000\n");
        assertEquals(9000, config().mtu());
        assertTrue(config().has(EthOffload.RX_SCATTER));
        options = "--max-pkt-len=9018 --mbuf-size=9216";
        output("show port info 0");
        assertFalse(config().has(EthOffload.RX_SCATTER), "one buffer holds it");
    }

    @Test
    void aCardThatCannotScatterNeedsLargeBuffers() {
        InProcess.Result r =
                InProcess.run(
                        "testpmd", "--vdev=" + NIC + ",scatter=0", "--", "--max-pkt-len=4018");
        assertEquals(2, r.status());
        assertEquals(
                "grantwire testpmd: --max-pkt-len=4018: net_fakenic0 receives a frame into one"
                        + " buffer; give --mbuf-size=4142\n",
                r.err());
    }

    @Test
    void anOffloadThatADeviceLacksIsToldInOneLine() {
        InProcess.Result r =
                InProcess.run("testpmd", "--vdev=net_null0", "--", "-i", "--enable-rx-cksum");
        assertEquals(1, r.status());
        assertEquals(
                "grantwire testpmd: device net_null0: configure: ENOTSUP (it has no"
                        + " RX_CHECKSUM)\n",
                r.err());
    }

    @Test
    void portInfoShowsWhatACardCanDo() throws IOException {
        options = "--enable-hw-vlan-strip";
        has(
                output("show port info 0"),
                """
                VLAN offload:~
                  strip on~
                  filter off~
                  qinq(extend) off~
                Hash key size in bytes: 40
                Redirection table size: 128
                Supported flow types:
                  ipv4
                  ipv4-udp
                  ipv6
                Max possible RX queues: 8
                """
                        .replace('~', ' '));
    }

    @Test
    void hashAndKeyAreShownAndChanged() throws IOException {
        String key = "6D5A" + "00".repeat(37) + "FA";
        String out =
                output(
                        "show port 0 rss-hash",
                        "port config 0 rss-hash-key ipv4 " + key,
                        "show port 0 rss-hash key",
                        "port config all rss udp",
                        "show port 0 rss-hash key",
                        "port config all rss none",
                        "show port 0 rss-hash");
        has(out, "testpmd> show port 0 rss-hash\nRSS functions:\n ipv4 ipv6 \ntestpmd>");
        has(out, "RSS functions:\n ipv4 ipv6 \nRSS key:\n" + key + "\n");
        has(out, "RSS functions:\n ipv4-udp \nRSS key:\n" + key + "\n");
        has(out, "testpmd> show port 0 rss-hash\nRSS disabled\n");
    }

    @Test
    void theRedirectionTableIsShownAndChanged() throws IOException {
        String out =
                output("port config 0 rss reta (0,3),(65,2)", "show port 0 rss reta 128 (0x3,0x2)");
        has(
                out,
                """
                RSS RETA configuration: hash index=0, queue=3
                RSS RETA configuration: hash index=1, queue=1
                RSS RETA configuration: hash index=65, queue=2
                """);
        assertEquals(3, FakeNic.named(NIC).rssTable()[0]);
        assertEquals(
                128,
                output("show port 0 rss reta 128")
                        .lines()
                        .filter(line -> line.startsWith("RSS RETA configuration"))
                        .count());
    }

    @Test
    void addressesAreAddedRemovedAndChanged() throws IOException {
        String out =
                output(
                        "mac_addr add 0 02:00:00:00:00:b1",
                        "mac_addr add 0 02:00:00:00:00:b2",
                        "mac_addr remove 0 02:00:00:00:00:b1",
                        "mac_addr set 0 02:00:00:00:00:c0",
                        "show port 0 macs");
        has(out, "Number of MAC address added: 2\n  02:00:00:00:00:C0\n  02:00:00:00:00:B2\n");
    }

    @Test
    void vlansAreListedStrippedAndInserted() throws IOException {
        options = "--enable-hw-vlan-filter";
        output(
                "rx_vlan add 100 0",
                "rx_vlan add 200 0",
                "rx_vlan rm 100 0",
                "vlan set strip on 0",
                "port stop 0",
                "tx_vlan set 0 42",
                "port start 0");
        FakeNic nic = FakeNic.named(NIC);
        assertEquals(Set.of(200), nic.vlans());
        assertTrue(nic.vlanStrip(), "the new configuration keeps what was set meanwhile");
        assertTrue(config().has(EthOffload.TX_VLAN_INSERT));
        output("rx_vlan add all 0");
        assertEquals(4096, FakeNic.named(NIC).vlans().size());
    }

    @Test
    void stoppedPortsTakeNewQueuesSizesAndOffloads() throws IOException {
        String out =
                output(
                        "port stop all",
                        "port config all rxq 2",
                        "port config all txq 2",
                        "port config all rxd 256",
                        "port config mtu 0 4000",
                        "port config all rx-cksum on",
                        "port config all hw-vlan on",
                        "port config all hw-vlan-strip off",
                        "vlan set filter off 0",
                        "csum set ip hw 0",
                        "csum set udp hw 0",
                        "csum set udp sw 0",
                        "port start all",
                        "show config rxtx",
                        "csum show 0",
                        "show port info 0");
        has(out, "  RX queues=2 - RX desc=256 - RX free threshold=0\n");
        has(out, "MTU: 4000\n");
        has(
                out,
                "testpmd> csum show 0\nParse tunnel is off\nIP checksum offload is hw\n"
                        + "UDP checksum offload is sw\nTCP checksum offload is sw\n");
        assertEquals(2, config().rxQueues());
        assertEquals(
                Set.of(
                        EthOffload.RX_CHECKSUM,
                        EthOffload.RX_SCATTER,
                        EthOffload.TX_IPV4_CKSUM,
                        EthOffload.TX_MULTI_SEGS),
                config().offloads());
    }

    @Test
    void theLinkGoesDownAndUp() throws IOException {
        String out =
                output(
                        "set link-down port 0",
                        "show port info 0",
                        "set link-up port 0",
                        "show port info 0");
        has(out, "Link status: down\n");
        has(out.substring(out.indexOf("link-up")), "Link status: up\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "port config all rxq 2~Please stop port 0 first (port stop 0)",
                "port config mtu 0 4000~Please stop port 0 first (port stop 0)",
                "csum set ip hw 0~Please stop port 0 first (port stop 0)",
                "tx_vlan set 0 5~Please stop port 0 first (port stop 0)",
                "rx_vlan add 5 0~device net_fakenic0: VLAN filter: EINVAL (it is not configured)",
                "rx_vlan add 4096 0~Invalid vlan_id 4096: they go up to 4095",
                "port config 0 rss reta (128,0)~Invalid hash index 128: the table has 128",
                "port config 0 rss reta (0,4)~Invalid queue 4: port 0 has 4",
                "port config 0 rss reta 0,4~Bad arguments: expected entries such as (0,1),(1,0)"
                        + " after \"port config 0 rss reta\", not \"0,4\"",
                "show port 0 rss reta 64~Invalid redirection table size: it is 128",
                "port config 0 rss-hash-key ipv4 00~The key of port 0 has 40 bytes, not 1",
                "port config all rss tcp~net_fakenic0 cannot spread tcp packets",
                "mac_addr remove 0 02:00:00:00:00:b1~device net_fakenic0: address"
                        + " 02:00:00:00:00:b1: ENOENT (it was not added)",
                "vlan set stripq on 0,1~Port 0 strips on all its queues or on none (vlan set strip"
                        + " on 0)",
                "show port 7 macs~Invalid port 7",
            })
    void whatCannotBeIsToldInOneLine(String command, String message) throws IOException {
        InProcess.Result r = batch(command);
        assertEquals(1, r.status());
        has(r.out(), "testpmd> " + command + "\n" + message + "\n");
    }

    @Test
    void aDeviceThatIsNoCardSaysSo() throws IOException {
        Path file = dir.resolve("commands");
        Files.write(
                file,
                List.of(
                        "vlan set strip on 0",
                        "mac_addr add 0 02:00:00:00:00:b1",
                        "port config 0 rss reta (0,0)",
                        "port stop 0",
                        "csum set ip hw 0",
                        "show port 0 rss-hash",
                        "show port 0 macs"));
        InProcess.Result r =
                InProcess.run("testpmd", "--vdev=net_null0", "--", "-i", "--cmdline-file=" + file);
        assertEquals("grantwire testpmd: 4 commands failed\n", r.err());
        has(r.out(), "device net_null0: VLAN strip: ENOTSUP (net_null cannot do that)\n");
        has(r.out(), "Port 0 has no redirection table\n");
        has(r.out(), "IP checksum offload is not supported by net_null0\n");
        has(r.out(), "RSS disabled\n");
        has(r.out(), "Number of MAC address added: 1\n");
    }

    @Test
    void spreadingIsNoErrorForAPortThatCannot() {
        InProcess.Result r =
                InProcess.run(
                        "testpmd",
                        "--vdev=net_null0,no-rx=1",
                        "--",
                        "-i",
                        "--rss-udp",
                        "--rxq=2",
                        "--txq=2");
        assertEquals(0, r.status(), r.out() + r.err());
    }

    @Test
    void aPciAddressThatIsNoneIsToldInOneLine() {
        InProcess.Result r = InProcess.run("testpmd", "-a", "eth0", "--", "-i");
        assertEquals(2, r.status());
        assertEquals(
                "grantwire testpmd: 'eth0' is not a PCI address such as 0000:03:00.0\n"
                        .replace("03", "09"),
                r.err());
    }
}
