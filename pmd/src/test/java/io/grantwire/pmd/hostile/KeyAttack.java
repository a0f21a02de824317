package io.grantwire.pmd.hostile;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.BiConsumer;

/**
 * What a hostile front end can say in its keys and index pages, each with the rule of the back
 * end's rule book that it breaks. The guest has a good pool 0, and device {@code n} has good keys
 * except its start key, which comes after the attack.
 */
public enum KeyAttack {
    /** No receive ring. */
    NO_RX_KEY("key_missing", (g, n) -> g.remove(XenvirtKeys.rxVringGref(n))),

    /** No transmit ring. */
    NO_TX_KEY("key_missing", (g, n) -> g.remove(XenvirtKeys.txVringGref(n))),

    /** No address. */
    NO_MAC_KEY("key_missing", (g, n) -> g.remove(XenvirtKeys.etherAddr(n))),

    /** No flag page. */
    NO_FLAG_KEY("key_missing", (g, n) -> g.remove(XenvirtKeys.vringFlag(n))),

    /** The low end of a number (CVE-2026-45890). */
    GRANT_ZERO("key_malformed", (g, n) -> g.put(XenvirtKeys.rxVringGref(n), "0")),

    /** A sign. */
    GRANT_NEGATIVE("key_malformed", (g, n) -> g.put(XenvirtKeys.txVringGref(n), "-1")),

    /** A number that 32 bits would cut to 1. */
    GRANT_THAT_WRAPS("key_malformed", (g, n) -> g.put(XenvirtKeys.vringFlag(n), "4294967297")),

    /** An empty entry in a list. */
    GRANT_LIST_WITH_A_HOLE("key_malformed", (g, n) -> g.put(XenvirtKeys.rxVringGref(n), "8,,9")),

    /** More index pages than there can be. */
    GRANT_LIST_TOO_LONG(
            "key_malformed", (g, n) -> g.put(XenvirtKeys.rxVringGref(n), "8,".repeat(100) + "8")),

    /** Bytes that are no text. */
    BINARY_MAC("key_malformed", (g, n) -> g.put(XenvirtKeys.etherAddr(n), "\u0001\u001b[2J\u00ff")),

    /** A start key that says something else. */
    START_IS_NOT_ONE("key_malformed", (g, n) -> {}) {
        @Override
        public void start(HostileDriver guest, int device) {
            guest.put(XenvirtKeys.start(device), "2");
        }
    },

    /** A pool that has no address. */
    POOL_AT_ZERO("key_malformed", (g, n) -> g.put(XenvirtKeys.mempoolVa(0), "0")),

    /** An index page that lists nothing. */
    EMPTY_INDEX_PAGE(
            "index_page", (g, n) -> g.put(XenvirtKeys.rxVringGref(n), g.index(new int[0]))),

    /** An index page that ends early, and another one. */
    SHORT_INDEX_PAGE(
            "index_page",
            (g, n) -> {
                GrantShare pages = g.share(2);
                pages.segment().setAtIndex(ValueLayout.JAVA_INT, 0, 8);
                pages.segment().setAtIndex(ValueLayout.JAVA_INT, 1024, 9);
                g.put(
                        XenvirtKeys.rxVringGref(n),
                        XenvirtKeys.formatGrefs(HostileDriver.grefs(pages)));
            }),

    /** A grant that was never made. */
    GRANT_NEVER_MADE("grant_refused", (g, n) -> g.put(XenvirtKeys.vringFlag(n), "30000")),

    /** A grant number far beyond the table. */
    GRANT_BEYOND_THE_TABLE(
            "grant_refused", (g, n) -> g.put(XenvirtKeys.txVringGref(n), "2147483647")),

    /** A grant to somebody else. */
    GRANT_TO_ANOTHER_DOMAIN(
            "grant_refused",
            (g, n) -> {
                GrantShare foreign = g.guest().sharer().share(9, 3, true);
                g.put(XenvirtKeys.rxVringGref(n), g.index(HostileDriver.grefs(foreign)));
            }),

    /** A grant that was taken back, in the middle of good ones. */
    GRANT_REVOKED(
            "grant_refused",
            (g, n) -> {
                GrantShare good = g.share(3);
                GrantShare gone = g.share(1);
                int[] grefs = HostileDriver.grefs(good);
                grefs[1] = gone.gref(0);
                g.put(XenvirtKeys.rxVringGref(n), g.index(grefs));
                gone.close();
            }),

    /** Pages for reading only. */
    GRANT_READ_ONLY(
            "grant_refused",
            (g, n) -> {
                GrantShare pages = g.guest().sharer().share(0, 3, false);
                g.put(XenvirtKeys.rxVringGref(n), g.index(HostileDriver.grefs(pages)));
            }),

    /** A ring of two pages. */
    SMALL_RING(
            "ring_too_small",
            (g, n) -> {
                int[] grefs = HostileDriver.grefs(g.share(2));
                g.put(XenvirtKeys.txVringGref(n), g.index(grefs));
            }),

    /** An address that is nobody's. */
    MAC_ZERO("mac_invalid", (g, n) -> g.put(XenvirtKeys.etherAddr(n), "00:00:00:00:00:00")),

    /** Everybody's address. */
    MAC_BROADCAST("mac_invalid", (g, n) -> g.put(XenvirtKeys.etherAddr(n), "ff:ff:ff:ff:ff:ff")),

    /** A flag that is down from the beginning. */
    FLAG_DOWN("flag_down", (g, n) -> FlagPage.clear(g.flag.segment())),

    /** No pool. */
    NO_POOL("pool_missing", (g, n) -> g.remove(XenvirtKeys.mempoolGref(0))),

    /** The same addresses twice. */
    POOLS_OVERLAP(
            "pool_overlap",
            (g, n) -> {
                long va = Long.parseLong(g.read(XenvirtKeys.mempoolVa(0)), 16);
                g.pool(1, 2, va + 4096);
            }),

    /** A pool around the end of the address space. */
    POOL_WRAPS("pool_wrap", (g, n) -> g.pool(1, 2, -4096)),

    /**
     * One page again and again, each time a piece of its own for the back end's kernel, which has
     * room for some. Real Xen maps the list as a whole.
     */
    POOL_IN_PIECES("grant_refused", (g, n) -> samePage(g, 5000)),

    /** More than {@link #PAGES_ALLOWED}. */
    POOL_OF_TOO_MANY_PAGES("too_many_pages", (g, n) -> samePage(g, KeyAttack.PAGES_ALLOWED));

    /** What the back end must be set to allow a guest, at most, for all to be as they say. */
    public static final int PAGES_ALLOWED = 8000;

    private final String rule;
    private final BiConsumer<HostileDriver, Integer> attack;

    KeyAttack(String rule, BiConsumer<HostileDriver, Integer> attack) {
        this.rule = rule;
        this.attack = attack;
    }

    /** A pool that is one page many times. */
    private static void samePage(HostileDriver guest, int times) {
        int[] grefs = new int[times];
        Arrays.fill(grefs, guest.share(1).gref(0));
        guest.put(XenvirtKeys.mempoolGref(1), guest.index(grefs));
        guest.put(XenvirtKeys.mempoolVa(1), "100000000");
    }

    /** The rule that it breaks, as reports name it. */
    public String rule() {
        return rule;
    }

    /** Writes it over the good keys of a device. */
    public void on(HostileDriver guest, int device) {
        attack.accept(guest, device);
    }

    /** Writes the start key. */
    public void start(HostileDriver guest, int device) {
        guest.start(device);
    }
}
