package io.grantwire.xenstore.server;

import static io.grantwire.xenstore.XsType.CONTROL;
import static io.grantwire.xenstore.XsType.DIRECTORY;
import static io.grantwire.xenstore.XsType.DIRECTORY_PART;
import static io.grantwire.xenstore.XsType.GET_DOMAIN_PATH;
import static io.grantwire.xenstore.XsType.GET_PERMS;
import static io.grantwire.xenstore.XsType.INTRODUCE;
import static io.grantwire.xenstore.XsType.IS_DOMAIN_INTRODUCED;
import static io.grantwire.xenstore.XsType.MKDIR;
import static io.grantwire.xenstore.XsType.READ;
import static io.grantwire.xenstore.XsType.RELEASE;
import static io.grantwire.xenstore.XsType.RESUME;
import static io.grantwire.xenstore.XsType.SET_TARGET;
import static io.grantwire.xenstore.XsType.WATCH;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests about domains, the store itself, long directories, and unknown ones. */
class DispatcherTest {
    private final StoreFixture fixture = new StoreFixture();
    private final StoreFixture.Client dom0 = fixture.client(0);
    private final StoreFixture.Client guest = fixture.client(5);

    @Test
    void unknownRequestsAreNotSupported() {
        for (int type : new int[] {15, 16, 20, 23, 24, 25, 26, 27, 99, 0xffff, -1}) {
            dom0.ask(READ, "/"); // so that the reply before is another one
            fixture.dispatcher.handle(dom0.session, new XsMessage(type, 1, 0, new byte[] {0}));
            assertEquals("!ENOSYS|", dom0.lastReply(), "type " + type);
        }
    }

    @Test
    void guestsMayNotManageDomains() {
        for (XsType type :
                List.of(CONTROL, INTRODUCE, RELEASE, IS_DOMAIN_INTRODUCED, RESUME, SET_TARGET)) {
            assertEquals("!EACCES|", guest.ask(type, "5", "1", "1"), type.name());
        }
    }

    @Test
    void aDomainsPathIsItsHome() {
        assertEquals("/local/domain/7|", guest.ask(GET_DOMAIN_PATH, "7"));
        assertEquals("/local/domain/7|", guest.ask(GET_DOMAIN_PATH, "007"));
        for (String bad : List.of("", "x", "-1", "7x", "65536", "99999999999999999999")) {
            assertEquals("!EINVAL|", dom0.ask(GET_DOMAIN_PATH, bad), bad);
        }
    }

    @Test
    void domainsComeAndGoOverTheWire() {
        assertEquals("T|", dom0.ask(IS_DOMAIN_INTRODUCED, "0"));
        assertEquals("T|", dom0.ask(IS_DOMAIN_INTRODUCED, "5"));
        assertEquals("F|", dom0.ask(IS_DOMAIN_INTRODUCED, "8"));
        assertEquals("OK|", dom0.ask(INTRODUCE, "8", "1", "1"));
        assertEquals("T|", dom0.ask(IS_DOMAIN_INTRODUCED, "8"));
        assertEquals("OK|", dom0.ask(RESUME, "8"));
        assertEquals("OK|", dom0.ask(RELEASE, "8"));
        assertEquals("F|", dom0.ask(IS_DOMAIN_INTRODUCED, "8"));
        assertEquals("!ENOENT|", dom0.ask(RELEASE, "8"));
        assertEquals("!ENOENT|", dom0.ask(RESUME, "8"));
    }

    @Test
    void nonsenseAboutDomainsIsInvalid() {
        assertEquals("!EINVAL|", dom0.ask(INTRODUCE, "8", "1"));
        assertEquals("!EINVAL|", dom0.ask(INTRODUCE, "0", "1", "1"));
        assertEquals("!EINVAL|", dom0.ask(INTRODUCE, "32752", "1", "1"));
        assertEquals("!EINVAL|", dom0.ask(INTRODUCE, "8", "1", "0"));
        assertEquals("!EINVAL|", dom0.ask(RELEASE, "0"));
        assertEquals("!EINVAL|", dom0.ask(RESUME, "0"));
        assertEquals("!ENOENT|", dom0.ask(SET_TARGET, "5", "9"));
        assertEquals("!EINVAL|", dom0.ask(SET_TARGET, "5", "0"));
        assertEquals("!EINVAL|", dom0.ask(SET_TARGET, "5"));
    }

    @Test
    void introducingAgainForgetsWhatWasUnderWay() {
        guest.ask(WATCH, "/a", "t");
        int tx = guest.begin();
        assertEquals("OK|", dom0.ask(INTRODUCE, "5", "1", "1"));
        assertEquals("!ENOENT|", guest.commit(tx));
        assertEquals(0, guest.session.domain().watches());
    }

    @Test
    void releasingTakesADomainsNodesAndRightsAway() {
        StoreFixture.Client watcher = fixture.client(0);
        dom0.ask(MKDIR, "/local/domain/5/data");
        dom0.permit("/local/domain/5", "n0", "r5", "r6");
        dom0.permit("/local/domain/5/data", "n5");
        guest.write("data/x", "1");
        dom0.permit("@releaseDomain", "n0", "r5");
        watcher.ask(WATCH, "/", "w");
        watcher.ask(WATCH, "@releaseDomain", "r");
        watcher.takeEvents();
        assertEquals("OK|", dom0.ask(RELEASE, "5"));
        assertEquals(List.of("/local/domain/5/data w", "@releaseDomain r"), watcher.takeEvents());
        assertEquals("", dom0.ask(DIRECTORY, "/local/domain/5"));
        assertEquals("n0|r6|", dom0.ask(GET_PERMS, "/local/domain/5"));
        assertEquals("n0|", dom0.ask(GET_PERMS, "@releaseDomain"));
        assertEquals(0, fixture.store.tree().usage().nodes(5));
        Tree tree = fixture.store.tree();
        assertEquals(Tree.of(tree.root(), tree.specials()).usage(), tree.usage());
    }

    @Test
    void aTargetsRightsEndWithTheTarget() {
        StoreFixture.Client stub = fixture.client(6);
        dom0.write("/local/domain/5/x", "1");
        dom0.permit("/local/domain/5", "n5");
        dom0.permit("/local/domain/5/x", "n0", "r5");
        assertEquals("!EACCES|", stub.read("/local/domain/5/x"));
        assertEquals("OK|", dom0.ask(SET_TARGET, "6", "5"));
        assertEquals("1", stub.read("/local/domain/5/x"));
        dom0.ask(RELEASE, "5");
        assertEquals(-1, stub.session.domain().target());
    }

    @Test
    void aDirectoryThatDoesNotFitIsReadInParts() {
        for (int i = 0; i < 600; i++) {
            dom0.write("/long/name-" + i, "");
        }
        assertEquals("!E2BIG|", dom0.ask(DIRECTORY, "/long"));
        List<String> names = new ArrayList<>();
        int offset = 0;
        String generation = null;
        while (true) {
            String reply = dom0.ask(DIRECTORY_PART, "/long", Integer.toString(offset));
            assertTrue(reply.length() <= 4096);
            String[] words = reply.split("\\|", -1);
            assertTrue(generation == null || generation.equals(words[0]));
            generation = words[0];
            String part = reply.substring(generation.length() + 1);
            boolean last = part.endsWith("||") || part.equals("|");
            String list = last ? part.substring(0, part.length() - 1) : part;
            names.addAll(Arrays.asList(list.split("\\|")));
            offset += list.length();
            if (last) {
                break;
            }
        }
        assertEquals(600, names.size());
        assertEquals("name-0", names.getFirst());
        assertEquals("name-599", names.getLast());
        dom0.write("/long/one-more", "");
        assertNotEquals(generation, dom0.ask(DIRECTORY_PART, "/long", "0").split("\\|")[0]);
    }

    @Test
    void partsOfASmallDirectoryEndAtOnce() {
        dom0.write("/s/a", "");
        dom0.write("/s/bc", "");
        assertTrue(dom0.ask(DIRECTORY_PART, "/s", "0").endsWith("|a|bc||"));
        assertTrue(dom0.ask(DIRECTORY_PART, "/s", "2").matches("\\d+\\|bc\\|\\|"));
        for (String behind : List.of("5", "100", "99999999999")) {
            assertTrue(dom0.ask(DIRECTORY_PART, "/s", behind).matches("\\d+\\|\\|"), behind);
        }
        assertTrue(dom0.ask(DIRECTORY_PART, "/s/a", "0").matches("\\d+\\|\\|"));
        assertEquals("!EINVAL|", dom0.ask(DIRECTORY_PART, "/s"));
        assertEquals("!EACCES|", guest.ask(DIRECTORY_PART, "/s", "0"));
    }

    @Test
    void aValueTooLongToSendIsSaidSo() {
        // What can be written can be read: path and NUL took their share of the payload.
        assertEquals("OK|", dom0.write("/v", "x".repeat(4096 - 3)));
        assertEquals(4096 - 3, dom0.read("/v").length());
    }

    @Test
    void controlAnswersTheToolsOfXen() {
        assertTrue(dom0.ask(CONTROL, "help").contains("quota"));
        assertEquals("OK|", dom0.ask(CONTROL, "check"));
        assertEquals("OK|", dom0.ask(CONTROL, "print", "hello\nworld"));
        assertTrue(dom0.ask(CONTROL, "quota").contains("nodes            :     1000"));
        assertTrue(dom0.ask(CONTROL, "quota", "5").startsWith("Domain 5:"));
        assertEquals("!ENOENT|", dom0.ask(CONTROL, "quota", "77"));
        assertEquals("!EINVAL|", dom0.ask(CONTROL, "live-update", "-s"));
        assertEquals("!EINVAL|", dom0.ask(0, CONTROL, new byte[0]));
    }

    @Test
    void aGuestsWritesAreSlowedWhileOthersHaveATransactionOpen() {
        dom0.ask(MKDIR, "/local/domain/5");
        dom0.permit("/local/domain/5", "n5");
        for (int i = 0; i < 300; i++) {
            guest.write("k", "");
        }
        assertEquals(0, guest.session.domain().credit().nanosToWait(System.nanoTime()));
        dom0.begin();
        for (int i = 0; i < 3000; i++) {
            guest.write("k", "");
        }
        assertTrue(guest.session.domain().credit().nanosToWait(System.nanoTime()) > 0);
    }
}
