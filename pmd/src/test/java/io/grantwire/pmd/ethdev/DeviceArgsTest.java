package io.grantwire.pmd.ethdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeviceArgsTest {
    @Test
    void theNameEndsAtTheFirstComma() {
        DeviceArgs a = DeviceArgs.parse("eth_pcap0,rx_pcap=/a b/c=d.pcap,tx_pcap=x,infinite_rx=1");
        assertEquals("eth_pcap0", a.name());
        assertEquals("/a b/c=d.pcap", a.get("rx_pcap"));
        assertEquals("x", a.get("tx_pcap", "y"));
        assertTrue(a.getFlag("infinite_rx", false));
        assertEquals(Set.of("rx_pcap", "tx_pcap", "infinite_rx"), a.keys());
        assertNull(a.get("absent"));
        assertEquals("y", a.get("absent", "y"));
        assertFalse(a.has("absent"));
        assertEquals(7, a.getInt("absent", 7, 0, 9));
        assertEquals("eth_pcap0,rx_pcap=/a b/c=d.pcap,tx_pcap=x,infinite_rx=1", a.toString());
    }

    @Test
    void aNameAloneIsEnough() {
        assertEquals("net_null0", DeviceArgs.parse("net_null0").name());
        assertTrue(DeviceArgs.parse("net_null0,").keys().isEmpty());
        assertEquals("", DeviceArgs.parse("net_x,flag").get("flag"));
    }

    @Test
    void semicolonsBetweenPairsSeparateAsInTheOriginal() {
        DeviceArgs a = DeviceArgs.parse("eth_xenvirt0,mac=00:11:22:33:44:55;queues=2;");
        assertEquals("00:11:22:33:44:55", a.get("mac"));
        assertEquals("2", a.get("queues"));
        assertEquals("a;b", DeviceArgs.parse("net_pcap0,rx_pcap=a;b").get("rx_pcap"));
    }

    @Test
    void aKeyMayComeSeveralTimesWhereTheDriverAsksForAll() {
        DeviceArgs a = DeviceArgs.parse("net_pcap0,rx_pcap=a,rx_pcap=b");
        assertEquals(List.of("a", "b"), a.all("rx_pcap"));
        assertThrows(IllegalArgumentException.class, () -> a.get("rx_pcap"));
    }

    @Test
    void numbersAreChecked() {
        DeviceArgs a = DeviceArgs.parse("d,n=0x10,m=-1,t=ten");
        assertEquals(16, a.getInt("n", 0, 0, 16));
        assertThrows(IllegalArgumentException.class, () -> a.getInt("n", 0, 0, 15));
        assertThrows(IllegalArgumentException.class, () -> a.getInt("m", 0, 0, 15));
        assertEquals(
                "device d: t=ten is not a number in 0 to 15",
                assertThrows(IllegalArgumentException.class, () -> a.getInt("t", 0, 0, 15))
                        .getMessage());
    }

    @Test
    void strangersAreRefused() {
        assertEquals(
                "device d: unknown key 'm'; known: n, o",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> DeviceArgs.parse("d,n=1,m=2").allowOnly("n", "o"))
                        .getMessage());
        for (String bad : List.of("", ",a=1", "d,=1", "d,a b=1")) {
            assertThrows(IllegalArgumentException.class, () -> DeviceArgs.parse(bad), bad);
        }
    }

    @Test
    void anUnknownDeviceNamesTheKnownOnes() {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> EthDrivers.probe("net_nix0", () -> null))
                        .getMessage();
        assertTrue(message.contains("net_nix0") && message.contains("net_null"), message);
    }
}
