package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UplinkSpecTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "pcap:in=a.pcap,out=b.pcap",
                "pcap:in=a.pcap",
                "pcap:out=b.pcap",
                "tap:gw0",
                "af_packet:eth0",
                "pci:0000:03:00.0",
                "pci:03:00.1",
                "xenvirt:7",
                "xenvirt:7/2"
            })
    void everyFormIsUnderstood(String text) {
        assertEquals(text, UplinkSpec.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nul",
                "null:x",
                "pcap:",
                "pcap:in=",
                "pcap:file=x",
                "tap:",
                "tap:a b",
                "tap:a,persist=1",
                "af_packet:averyveryverylongname",
                "pci:3",
                "pci:zz:00.0",
                "xenvirt:",
                "xenvirt:0",
                "xenvirt:x",
                "eth0"
            })
    void anythingElseIsRefusedWithTheForms(String text) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> UplinkSpec.parse(text))
                        .getMessage();
        assertTrue(message.startsWith("uplink '" + text + "' is none of the forms pcap:"), message);
    }

    @Test
    void theNullUplinkReceivesNothing() {
        try (EthDevice device = UplinkSpec.parse("null").open(null)) {
            assertEquals("net_null", device.info().driverName());
        }
    }

    @Test
    void aCardThatIsNotThereIsNamed() {
        String message =
                assertThrows(
                                EthDeviceException.class,
                                () -> UplinkSpec.parse("pci:fffe:fe:1e.7").open(null))
                        .getMessage();
        assertTrue(message.contains("fffe:fe:1e.7"), message);
        assertTrue(message.contains("ENODEV"), message);
    }
}
