package io.grantwire.pmd.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MacAddressTest {
    @ParameterizedTest
    @CsvSource({
        "00:11:22:33:44:55, 00:11:22:33:44:55",
        "AA:bB:cc:DD:ee:FF, aa:bb:cc:dd:ee:ff",
        "0:1:2:3:4:5, 00:01:02:03:04:05",
        "00-11-22-33-44-55, 00:11:22:33:44:55"
    })
    void textIsReadAndWrittenInLowerCase(String text, String expected) {
        assertEquals(expected, MacAddress.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "00:11:22:33:44",
                "00:11:22:33:44:55:66",
                "00:11:22:33:44:",
                "000:1:2:3:4:5",
                ":0:1:2:3:4:5",
                "0:1:2:3:4:g",
                "00:11-22:33:44:55",
                "001122334455",
                " 0:1:2:3:4:5",
                "0:1:2:3:4:５"
            })
    void anythingElseIsRefused(String text) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> MacAddress.parse(text))
                        .getMessage();
        assertTrue(message.startsWith("'" + text + "' is not a MAC address"), message);
    }

    @Test
    void theFirstByteIsTheMostSignificant() {
        MacAddress mac = MacAddress.parse("00:11:22:33:44:55");
        assertEquals(0x0011_2233_4455L, mac.value());
        assertArrayEquals(new byte[] {0, 0x11, 0x22, 0x33, 0x44, 0x55}, mac.bytes());
        assertEquals(mac, MacAddress.of(mac.bytes()));
        assertEquals("00:11:22:33:44:55", MacAddress.format(mac.value()));
        assertEquals("AA:00:00:00:00:00", new MacAddress(0xAA00_0000_0000L).toUpperCaseString());
        assertThrows(IllegalArgumentException.class, () -> new MacAddress(1L << 48));
        assertThrows(IllegalArgumentException.class, () -> new MacAddress(-1));
        assertThrows(IllegalArgumentException.class, () -> MacAddress.of(new byte[5]));
    }

    @Test
    void addressesKnowWhomTheyMean() {
        assertTrue(MacAddress.BROADCAST.isBroadcast());
        assertTrue(MacAddress.BROADCAST.isMulticast());
        assertTrue(MacAddress.parse("01:00:5e:00:00:01").isMulticast());
        assertFalse(MacAddress.parse("01:00:5e:00:00:01").isBroadcast());
        assertFalse(MacAddress.parse("00:00:5e:00:00:01").isMulticast());
        assertTrue(MacAddress.ZERO.isZero());
        assertFalse(MacAddress.ZERO.isValidUnicast());
        assertFalse(MacAddress.BROADCAST.isValidUnicast());
        assertTrue(MacAddress.parse("02:00:00:00:00:00").isLocallyAdministered());
        for (int i = 0; i < 100; i++) {
            MacAddress random = MacAddress.random();
            assertTrue(random.isValidUnicast() && random.isLocallyAdministered());
        }
    }
}
