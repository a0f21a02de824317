package io.grantwire.pmd.lcore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LcoreSetTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0xf | 0,1,2,3",
                "5 | 0,2",
                "0X80000000000000000000000000000001 | 0,127",
                "000001 | 0"
            })
    void masksNameLcoresOnTheirOwnCpus(String mask, String expected) {
        assertEquals(expected, LcoreSet.mask(mask).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "0x", "0", "0x0", "f g", "-1", "0x100000000000000000000000000000000"})
    void badMasksAreRefused(String mask) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> LcoreSet.mask(mask))
                        .getMessage();
        assertTrue(message.contains("core mask '" + mask + "'"), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0-3,5 | 0,1,2,3,5",
                "5,1 | 1,5",
                "3-1 | 1,2,3",
                "0@1 | 0@(1)",
                "0@0,1@0 | 0,1@(0)",
                "(0-1)@(2-3) | 0@(2,3),1@(2,3)",
                "1,2@(5-7),(3-5)@(0,2),(0,6),7-8 |"
                        + " 0@(0,6),1,2@(5,6,7),3@(0,2),4@(0,2),5@(0,2),6@(0,6),7,8",
                "0-1@3 | 0@(3),1@(3)",
                "(4) | 4"
            })
    void listsAreReadAsTheEalReadsThem(String list, String expected) {
        LcoreSet set = LcoreSet.list(list);
        assertEquals(expected, set.toString());
        assertEquals(set, LcoreSet.list(set.toString()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "1,",
                "1,,2",
                "a",
                "1-",
                "-1",
                "(1",
                "1)",
                "(1)@",
                "@1",
                "1@(",
                "1@2@3",
                "1 ,2",
                "0,0",
                "0-2,(1)@5",
                "128",
                "99999999999999",
                "0@1024",
                "()",
                "0@-1"
            })
    void badListsAreRefused(String list) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> LcoreSet.list(list))
                        .getMessage();
        assertTrue(message.contains("core list '" + list + "'"), message);
    }

    @Test
    void entriesAreInOrder() {
        LcoreSet set = LcoreSet.list("3,1@0");
        assertEquals(2, set.size());
        assertEquals(List.of(1, 3), set.ids());
        assertEquals(new LcoreSet.Entry(1, List.of(0)), set.first());
    }
}
