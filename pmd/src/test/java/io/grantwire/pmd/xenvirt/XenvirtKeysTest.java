package io.grantwire.pmd.xenvirt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.xenvirt.XenvirtKeys.StartKey;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XenvirtKeysTest {
    private static String reason(Parsed<?> parsed) {
        return assertInstanceOf(Parsed.Bad.class, parsed).reason();
    }

    @Test
    void namesAreTheOriginals() {
        assertEquals("/local/domain/7/control/dpdk", XenvirtKeys.base(7));
        assertEquals("0_mempool_gref", XenvirtKeys.mempoolGref(0));
        assertEquals("15_mempool_va", XenvirtKeys.mempoolVa(15));
        assertEquals("3_rx_vring_gref", XenvirtKeys.rxVringGref(3));
        assertEquals("3_tx_vring_gref", XenvirtKeys.txVringGref(3));
        assertEquals("3_ether_addr", XenvirtKeys.etherAddr(3));
        assertEquals("3_vring_flag", XenvirtKeys.vringFlag(3));
        assertEquals("event_type_start_3", XenvirtKeys.start(3));
    }

    @Test
    void grantListsAreCommaSeparatedDecimals() {
        assertEquals("8,9,10", XenvirtKeys.formatGrefs(new int[] {8, 9, 10}));
        assertEquals("4360", XenvirtKeys.formatGrefs(new int[] {4360}));
        assertArrayEquals(new int[] {8, 9, 10}, XenvirtKeys.parseGrefs("8,9,10").orThrow());
        assertArrayEquals(new int[] {2147483647}, XenvirtKeys.parseGrefs("2147483647").orThrow());
    }

    @Test
    void grantNumbersMayUseAnyBaseThatTheOriginalDetects() {
        assertArrayEquals(new int[] {16, 8, 9}, XenvirtKeys.parseGrefs("0x10,010,9").orThrow());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "8,",
                ",8",
                "8,,9",
                "8, 9",
                " 8",
                "8\n",
                "0",
                "-1",
                "+8",
                "2147483648",
                "99999999999999999999",
                "0x",
                "08",
                "8;9",
                "٨",
                "8,0",
                "0x100000000"
            })
    void brokenGrantListsAreRefused(String value) {
        assertFalse(reason(XenvirtKeys.parseGrefs(value)).isEmpty());
        assertFalse(XenvirtKeys.parseGref(value).isOk());
    }

    @Test
    void grantListsAreBounded() {
        String full = "8" + ",8".repeat(63);
        assertEquals(64, XenvirtKeys.parseGrefs(full).orThrow().length);
        assertTrue(reason(XenvirtKeys.parseGrefs(full + ",8")).contains("more than 64"));
        assertTrue(reason(XenvirtKeys.parseGrefs("1".repeat(5000))).contains("5000 characters"));
    }

    @Test
    void aFlagPageIsOneGrant() {
        assertEquals(4362, XenvirtKeys.parseGref("4362").orThrow());
        assertFalse(XenvirtKeys.parseGref("8,9").isOk());
    }

    @Test
    void addressesAreBareLowerCaseHexAndReadEitherWay() {
        assertEquals("7f3a40000000", XenvirtKeys.formatVa(0x7f3a40000000L));
        assertEquals(0x7f3a40000000L, XenvirtKeys.parseVa("7f3a40000000").orThrow());
        assertEquals(0x7f3a40000000L, XenvirtKeys.parseVa("0x7f3a40000000").orThrow());
        assertEquals(0x7f3a40000000L, XenvirtKeys.parseVa("0X7F3A40000000").orThrow());
        assertEquals(-1L, XenvirtKeys.parseVa("ffffffffffffffff").orThrow());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0x",
                "0",
                "0x0",
                "7f3a40000000 ",
                "7g",
                "-1",
                "10000000000000000",
                "0x0x1"
            })
    void brokenAddressesAreRefused(String value) {
        assertFalse(reason(XenvirtKeys.parseVa(value)).isEmpty());
    }

    @Test
    void macAddressesAreLowerCaseAndReadInBothGroupings() {
        assertEquals("00:0c:29:0a:bc:ff", XenvirtKeys.formatMac(0x000c290abcffL));
        assertEquals(0x11L, XenvirtKeys.parseMac("00:00:00:00:00:11").orThrow());
        assertEquals(0x000c290abcffL, XenvirtKeys.parseMac("00:0C:29:0a:BC:ff").orThrow());
        assertEquals(0x000c290abcffL, XenvirtKeys.parseMac("000c:290a:bcff").orThrow());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "00:00:00:00:00", "00:00:00:00:00:1", "00:00:00:00:00:111", "00-00-00-00-00-11",
                "0000:0000:00g1", "00000:000:0011", "00:00:00:00:00:1g", "000000000011",
                        ":::::::::::::::::"
            })
    void brokenMacAddressesAreRefused(String value) {
        assertFalse(reason(XenvirtKeys.parseMac(value)).isEmpty());
    }

    @Test
    void startKeysAreRecognisedWhereTheyBelong() {
        assertEquals(
                Optional.of(new StartKey("/local/domain/12/control/dpdk", 12, 3)),
                XenvirtKeys.startKey("/local/domain/12/control/dpdk/event_type_start_3"));
        assertEquals(
                Optional.of(new StartKey("/local/domain/12/data/dpdk", 12, 31)),
                XenvirtKeys.startKey("/local/domain/12/data/dpdk/event_type_start_31"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/local/domain/",
                "/local/domain/12",
                "/local/domain/12/control/dpdk",
                "/local/domain/12/control/dpdk/0_ether_addr",
                "/local/domain/12/control/dpdk/event_type_start_",
                "/local/domain/12/control/dpdk/event_type_start_32",
                "/local/domain/12/control/dpdk/event_type_start_00",
                "/local/domain/12/control/dpdk/event_type_start_x",
                "/local/domain/12/control/dpdk/event_type_start_99999999999",
                "/local/domain/12/control/dpdk/x/event_type_start_0",
                "/local/domain/12/control/dpdk/xevent_type_start_0",
                "/local/domain/12/control/event_type_start_0",
                "/local/domain/-1/control/dpdk/event_type_start_0",
                "/local/domain/32752/control/dpdk/event_type_start_0",
                "/local/domain/12x/control/dpdk/event_type_start_0",
                "/local/domain//control/dpdk/event_type_start_0",
                "/tool/12/control/dpdk/event_type_start_0",
                "@releaseDomain"
            })
    void otherPathsAreNoStartKeys(String path) {
        assertEquals(Optional.empty(), XenvirtKeys.startKey(path));
    }

    @Test
    void whatAGuestWroteIsFitForALogLine() {
        assertEquals("\"a?b??\"", XenvirtKeys.quote("a\nb\"\u001b"));
        assertEquals("\"" + "x".repeat(32) + "…\"", XenvirtKeys.quote("x".repeat(100)));
    }
}
