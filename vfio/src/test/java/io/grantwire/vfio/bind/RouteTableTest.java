package io.grantwire.vfio.bind;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines are as the kernel prints them: addresses in memory order for IPv4, in full for IPv6. */
class RouteTableTest {
    private static final String HEADING =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    @TempDir Path dir;

    private SimulatedKernel kernel;

    @BeforeEach
    void aMachine() {
        kernel = new SimulatedKernel(dir);
    }

    private Optional<String> through(String name) {
        return RouteTable.read(kernel.tree()).through(name);
    }

    private void ipv4(String... lines) {
        kernel.file("proc/net/route", HEADING + String.join("\n", lines) + "\n");
    }

    private void ipv6(String... lines) {
        kernel.file("proc/net/ipv6_route", String.join("\n", lines) + "\n");
    }

    private static String v6(String destination, String length, String flags, String name) {
        return "%s %s %s 00 %s 00000100 00000001 00000000 %s %8s"
                .formatted(destination, length, "0".repeat(32), "0".repeat(32), flags, name);
    }

    @Test
    void aSubnetOfTheInterfaceIsARoute() {
        ipv4("eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0");
        assertEquals(Optional.of("192.168.2.0/24"), through("eth0"));
        assertEquals(Optional.empty(), through("eth1"));
    }

    @Test
    void theDefaultRouteIsWhatIsNamed() {
        ipv4(
                "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
                "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
                "eth0\t0003A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0");
        assertEquals(Optional.of("the default route"), through("eth0"));
    }

    @Test
    void linkLocalDownAndRejectRoutesDoNotCount() {
        ipv4(
                "eth0\t0000FEA9\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
                "eth1\t0002A8C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0",
                "*\t0004A8C0\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0");
        assertEquals(Optional.empty(), through("eth0"));
        assertEquals(Optional.empty(), through("eth1"));
        assertEquals(Optional.empty(), through("*"));
    }

    @Test
    void anIpv6OnlyInterfaceIsProtectedAsWell() {
        ipv6(v6("fd00000000000000000000000000abcd", "40", "00000001", "eth0"));
        assertEquals(Optional.of("fd00:0000:0000:0000:0000:0000:0000:abcd/64"), through("eth0"));
        ipv6(
                v6("fd000000000000000000000000000000", "40", "00000001", "eth0"),
                v6("00000000000000000000000000000000", "00", "00000003", "eth0"));
        assertEquals(Optional.of("the IPv6 default route"), through("eth0"));
    }

    @Test
    void whatEveryIpv6InterfaceHasDoesNotCount() {
        ipv6(
                v6("fe800000000000000000000000000000", "40", "00000001", "eth0"),
                v6("ff000000000000000000000000000000", "08", "00000001", "eth0"),
                v6("fd000000000000000000000000000002", "80", "80200001", "eth0"),
                v6("fd000000000000000000000000000000", "80", "80300001", "eth0"),
                v6("00000000000000000000000000000000", "00", "00200200", "lo"));
        assertEquals(Optional.empty(), through("eth0"));
        assertEquals(Optional.empty(), through("lo"));
    }

    @Test
    void linesThatMakeNoSenseAreLeftOut() {
        ipv4("eth0", "eth0\tzz\tzz\t0001\t0\t0\t0\tzz", "", "eth0 1 2 999999999 4 5 6 7 8");
        ipv6("zz", "0 0 0", "\u0000");
        assertEquals(Optional.empty(), through("eth0"));
    }
}
