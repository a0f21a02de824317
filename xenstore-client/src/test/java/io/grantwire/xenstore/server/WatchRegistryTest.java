package io.grantwire.xenstore.server;

import static io.grantwire.xenstore.XsType.MKDIR;
import static io.grantwire.xenstore.XsType.RESET_WATCHES;
import static io.grantwire.xenstore.XsType.RM;
import static io.grantwire.xenstore.XsType.UNWATCH;
import static io.grantwire.xenstore.XsType.WATCH;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.xenstore.XsWire;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WatchRegistryTest {
    private final StoreFixture fixture = new StoreFixture();
    private final StoreFixture.Client dom0 = fixture.client(0);
    private final StoreFixture.Client watcher = fixture.client(0);
    private final StoreFixture.Client guest = fixture.client(5);

    @BeforeEach
    void makeHome() {
        dom0.ask(MKDIR, "/local/domain/5/data");
        dom0.permit("/local/domain/5", "n0", "r5");
        dom0.permit("/local/domain/5/data", "n5");
    }

    private static void watch(StoreFixture.Client client, String path, String token) {
        assertEquals("OK|", client.ask(WATCH, path, token));
        assertEquals(List.of(path + " " + token), client.takeEvents());
    }

    @Test
    void theFirstEventComesAtOnceWhetherTheNodeExistsOrNot() {
        watch(watcher, "/", "a");
        watch(watcher, "/not/there", "b");
        watch(watcher, "@introduceDomain", "c");
    }

    @Test
    void changesOfTheNodeAndBelowAreTold() {
        watch(watcher, "/w", "t");
        dom0.write("/w", "1");
        dom0.write("/w/x/y", "2");
        dom0.permit("/w/x", "r0");
        dom0.ask(MKDIR, "/w/z");
        dom0.ask(MKDIR, "/w/z"); // nothing changes
        dom0.write("/wother", "no");
        dom0.write("/", "no");
        assertEquals(List.of("/w t", "/w/x/y t", "/w/x t", "/w/z t"), watcher.takeEvents());
    }

    @Test
    void aRemovalIsOneEventForThoseAboveAndOneForEachWatchedNodeBelow() {
        dom0.write("/r/s/t", "");
        watch(watcher, "/r", "top");
        watch(watcher, "/r/s/t", "leaf");
        dom0.ask(RM, "/r");
        assertEquals(List.of("/r/s/t leaf", "/r top"), watcher.takeEvents());
    }

    @Test
    void aRelativeWatchIsAnsweredRelatively() {
        watch(guest, "data", "t");
        guest.write("data/x", "1");
        dom0.write("/local/domain/5/data/y", "1");
        assertEquals(List.of("data/x t", "data/y t"), guest.takeEvents());
        watch(guest, "/local/domain/5/data", "abs");
        guest.write("data/x", "2");
        assertEquals(List.of("data/x t", "/local/domain/5/data/x abs"), guest.takeEvents());
    }

    @Test
    void unwatchingTakesTheSameSpellingOrTheAbsolutePath() {
        watch(guest, "data", "t");
        assertEquals("!ENOENT|", guest.ask(UNWATCH, "data", "other"));
        assertEquals("OK|", guest.ask(UNWATCH, "/local/domain/5/data", "t"));
        assertEquals("!ENOENT|", guest.ask(UNWATCH, "data", "t"));
        guest.write("data/x", "1");
        assertEquals(List.of(), guest.takeEvents());
    }

    @Test
    void theSameWatchTwiceIsRefused() {
        watch(guest, "data", "t");
        assertEquals("!EEXIST|", guest.ask(WATCH, "/local/domain/5/data", "t"));
        watch(guest, "data", "u");
        StoreFixture.Client another = fixture.client(5);
        watch(another, "data", "t");
    }

    @Test
    void noEventsForWhatADomainMayNotRead() {
        watch(guest, "/", "all");
        dom0.write("/secret", "1");
        dom0.write("/local/domain/6/data/x", "1");
        assertEquals(List.of(), guest.takeEvents());
        dom0.write("/open", "1");
        dom0.permit("/open", "r0");
        dom0.write("/open", "2");
        assertEquals(List.of("/open all", "/open all"), guest.takeEvents());
    }

    @Test
    void whoCanReadTheParentLearnsOfItsChildren() {
        watch(guest, "/local/domain/5", "t");
        dom0.write("/local/domain/5/hidden", "1"); // n0, below n0,r5
        dom0.permit("/local/domain/5/hidden", "n0");
        assertEquals(
                List.of("/local/domain/5/hidden t", "/local/domain/5/hidden t"),
                guest.takeEvents());
        dom0.write("/local/domain/5/hidden/deeper", "1");
        assertEquals(List.of(), guest.takeEvents());
    }

    @Test
    void whoLosesTheRightToReadIsToldAboutIt() {
        dom0.write("/p", "1");
        dom0.permit("/p", "n0", "r5");
        watch(guest, "/p", "t");
        dom0.permit("/p", "n0");
        assertEquals(List.of("/p t"), guest.takeEvents());
        dom0.write("/p", "2");
        assertEquals(List.of(), guest.takeEvents());
    }

    @Test
    void whoCouldReadARemovedNodeIsTold() {
        dom0.write("/p/q", "1");
        dom0.permit("/p/q", "n0", "r5");
        watch(guest, "/p/q", "t");
        dom0.ask(RM, "/p");
        assertEquals(List.of("/p/q t"), guest.takeEvents());
    }

    @Test
    void eventsKeepTheOrderOfConnectionsAndWatches() {
        watch(watcher, "/a/b", "1");
        watch(watcher, "/", "2");
        watch(watcher, "/a", "3");
        dom0.write("/a/b", "");
        assertEquals(List.of("/a/b 1", "/a/b 2", "/a/b 3"), watcher.takeEvents());
    }

    @Test
    void theWriterIsToldToo() {
        watch(dom0, "/a", "t");
        dom0.write("/a", "");
        assertEquals(List.of("/a t"), dom0.takeEvents());
    }

    @Test
    void closingOrResettingEndsAllWatches() {
        watch(watcher, "/a", "1");
        watch(watcher, "/b", "2");
        assertEquals("OK|", watcher.ask(RESET_WATCHES, ""));
        dom0.write("/a", "");
        assertEquals(List.of(), watcher.takeEvents());
        watch(watcher, "/a", "1");
    }

    @Test
    void malformedWatchesAreInvalid() {
        assertEquals("!EINVAL|", dom0.ask(WATCH, "/a"));
        assertEquals("!EINVAL|", dom0.ask(WATCH, "/a", "t", "1"));
        assertEquals("!EINVAL|", dom0.ask(WATCH, "/a//b", "t"));
        assertEquals("!EINVAL|", dom0.ask(0, WATCH, XsWire.bytes("/a\0t")));
        assertEquals("!EINVAL|", dom0.ask(UNWATCH, "/a"));
        assertEquals(List.of(), dom0.takeEvents());
    }

    @Test
    void specialWatchesFireForThoseWhoMayReadThem() {
        watch(watcher, "@introduceDomain", "in");
        watch(watcher, "@releaseDomain", "out");
        watch(guest, "@releaseDomain", "g");
        fixture.client(9);
        assertEquals(List.of("@introduceDomain in"), watcher.takeEvents());
        assertEquals("OK|", dom0.ask(io.grantwire.xenstore.XsType.RELEASE, "9"));
        assertEquals(List.of("@releaseDomain out"), watcher.takeEvents());
        assertEquals(List.of(), guest.takeEvents());
        dom0.permit("@releaseDomain", "n0", "r5");
        fixture.client(9);
        watcher.takeEvents();
        guest.takeEvents();
        dom0.ask(io.grantwire.xenstore.XsType.RELEASE, "9");
        assertEquals(List.of("@releaseDomain g"), guest.takeEvents());
    }
}
