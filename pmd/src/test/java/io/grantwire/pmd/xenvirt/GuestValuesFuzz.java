package io.grantwire.pmd.xenvirt;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.pmd.xenvirt.XenvirtKeys.StartKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Whatever a guest writes into its keys and index pages, the parsers answer with a value within
 * bounds or with one printable line. Runs over its corpus in every build; {@code JAZZER_FUZZ=1}
 * searches for new inputs.
 */
class GuestValuesFuzz {
    @FuzzTest(maxDuration = "60s")
    void anyValueOfAKeyIsParsedOrRefused(byte[] bytes) {
        String value = new String(bytes, StandardCharsets.ISO_8859_1);
        switch (XenvirtKeys.parseGrefs(value)) {
            case Parsed.Ok<int[]>(int[] grefs) -> {
                check(grefs.length >= 1 && grefs.length <= XenvirtKeys.MAX_INDEX_PAGES, "count");
                for (int gref : grefs) {
                    check(gref > 0, "gref " + gref);
                }
                int[] again = XenvirtKeys.parseGrefs(XenvirtKeys.formatGrefs(grefs)).orThrow();
                check(java.util.Arrays.equals(grefs, again), "written and read again");
            }
            case Parsed.Bad<int[]>(String reason) -> checkReason(reason);
        }
        switch (XenvirtKeys.parseGref(value)) {
            case Parsed.Ok<Integer>(Integer gref) -> check(gref > 0, "gref " + gref);
            case Parsed.Bad<Integer>(String reason) -> checkReason(reason);
        }
        switch (XenvirtKeys.parseVa(value)) {
            case Parsed.Ok<Long>(Long va) ->
                    check(
                            va != 0
                                    && XenvirtKeys.parseVa(XenvirtKeys.formatVa(va))
                                            .equals(Parsed.ok(va)),
                            "va " + va);
            case Parsed.Bad<Long>(String reason) -> checkReason(reason);
        }
        switch (XenvirtKeys.parseMac(value)) {
            case Parsed.Ok<Long>(Long mac) ->
                    check(
                            mac >>> 48 == 0
                                    && XenvirtKeys.parseMac(XenvirtKeys.formatMac(mac))
                                            .equals(Parsed.ok(mac)),
                            "mac " + mac);
            case Parsed.Bad<Long>(String reason) -> checkReason(reason);
        }
    }

    @FuzzTest(maxDuration = "60s")
    void anyPathIsAStartKeyOrNot(byte[] bytes) {
        String path = new String(bytes, StandardCharsets.ISO_8859_1);
        XenvirtKeys.startKey(path)
                .ifPresent((StartKey key) -> {
                    check(key.device() >= 0 && key.device() < 32, "device");
                    check(key.domid() >= 0 && key.domid() < 0x7ff0, "domid");
                    check(
                            path.equals(key.base() + "/" + XenvirtKeys.start(key.device())),
                            "it says the same path");
                });
    }

    @FuzzTest(maxDuration = "60s")
    void anyIndexPagesAreReadOrRefused(byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            List<MemorySegment> pages = new ArrayList<>();
            for (int at = 0; at < bytes.length && pages.size() < 70; at += IndexPage.PAGE_SIZE) {
                MemorySegment page = arena.allocate(IndexPage.PAGE_SIZE, IndexPage.PAGE_SIZE);
                int n = Math.min(IndexPage.PAGE_SIZE, bytes.length - at);
                MemorySegment.copy(bytes, at, page, ValueLayout.JAVA_BYTE, 0, n);
                pages.add(page);
            }
            switch (IndexPage.decodeAll(pages)) {
                case Parsed.Ok<int[]>(int[] grefs) -> {
                    check(grefs.length >= 1, "not empty");
                    // Only the last page may be short; even empty, behind a full one.
                    int needed = IndexPage.pagesFor(grefs.length);
                    check(needed == pages.size() || needed == pages.size() - 1, "short pages");
                    for (int gref : grefs) {
                        check(gref > 0, "gref " + gref);
                    }
                }
                case Parsed.Bad<int[]>(String reason) -> checkReason(reason);
            }
        }
    }

    private static void checkReason(String reason) {
        check(!reason.isEmpty() && reason.length() < 200, "length of: " + reason);
        for (int i = 0; i < reason.length(); i++) {
            char c = reason.charAt(i);
            check(c >= ' ' && c < 0x7f || c == '…', "unprintable: " + (int) c);
        }
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
