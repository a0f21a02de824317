package io.grantwire.tools.eal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.eal.CoreList.Core;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CoreListTest {
    @Test
    void maskBitsAreLcores() {
        assertEquals(List.of(new Core(0, 0), new Core(2, 2)), CoreList.mask("5"));
        assertEquals(List.of(new Core(4, 4)), CoreList.mask("0x10"));
        assertEquals(128, CoreList.mask("f".repeat(32)).size());
    }

    @Test
    void listsHaveRanges() {
        assertEquals(
                List.of(new Core(0, 0), new Core(2, 2), new Core(3, 3)), CoreList.list("2-3,0"));
    }

    @Test
    void mapsNameTheCpu() {
        assertEquals(
                List.of(new Core(0, 1), new Core(2, 4), new Core(3, 5), new Core(7, 7)),
                CoreList.map("0@1,(2-3)@(4,5),7"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "xyz", "0x", "fffffffffffffffffffffffffffffffff"})
    void wrongMasksAreWrongUsage(String mask) {
        assertThrows(UsageException.class, () -> CoreList.mask(mask));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1-", "-1", "3-2", "1,,2", "128", "a", "99999"})
    void wrongListsAreWrongUsage(String list) {
        assertThrows(UsageException.class, () -> CoreList.list(list));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "(0", "0)@1", "0@", "@1", "0@(1"})
    void wrongMapsAreWrongUsage(String map) {
        assertThrows(UsageException.class, () -> CoreList.map(map));
    }
}
