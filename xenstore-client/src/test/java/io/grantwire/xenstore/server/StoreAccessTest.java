package io.grantwire.xenstore.server;

import static io.grantwire.xenstore.XsType.DIRECTORY;
import static io.grantwire.xenstore.XsType.GET_PERMS;
import static io.grantwire.xenstore.XsType.MKDIR;
import static io.grantwire.xenstore.XsType.RM;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.xenstore.XsWire;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reading, writing and removing: who may, what is inherited, and which errors come. */
class StoreAccessTest {
    private final StoreFixture fixture = new StoreFixture();
    private final StoreFixture.Client dom0 = fixture.client(0);
    private final StoreFixture.Client guest = fixture.client(5);
    private final StoreFixture.Client other = fixture.client(6);

    @BeforeEach
    void makeHomes() {
        for (int domid : new int[] {5, 6}) {
            String home = "/local/domain/" + domid;
            dom0.ask(MKDIR, home);
            dom0.permit(home, "n0", "r" + domid);
            dom0.ask(MKDIR, home + "/data");
            dom0.permit(home + "/data", "n" + domid);
        }
    }

    @Test
    void valuesComeBackAsTheyWereWritten() {
        assertEquals("OK|", dom0.write("/a/b", "x\0y"));
        assertEquals("x|y", dom0.read("/a/b"));
        assertEquals("", dom0.read("/a"));
        assertEquals("OK|", dom0.write("/a/b", ""));
        assertEquals("", dom0.read("/a/b"));
    }

    @Test
    void mkdirMakesParentsAndKeepsValues() {
        dom0.write("/a/b", "x");
        assertEquals("OK|", dom0.ask(MKDIR, "/a/b"));
        assertEquals("x", dom0.read("/a/b"));
        assertEquals("OK|", dom0.ask(MKDIR, "/m/n/o"));
        assertEquals("n|", dom0.ask(DIRECTORY, "/m"));
    }

    @Test
    void directoryListsNamesInOrder() {
        dom0.write("/d/z", "");
        dom0.write("/d/a", "");
        dom0.write("/d/z", "again");
        assertEquals("z|a|", dom0.ask(DIRECTORY, "/d"));
        assertEquals("", dom0.ask(DIRECTORY, "/d/a"));
    }

    @Test
    void rmTakesEverythingBelow() {
        dom0.write("/a/b/c", "x");
        assertEquals("OK|", dom0.ask(RM, "/a"));
        assertEquals("!ENOENT|", dom0.read("/a/b/c"));
    }

    @Test
    void rmOfNothingSucceedsWhereTheParentExists() {
        assertEquals("OK|", dom0.ask(RM, "/none"));
        assertEquals("!ENOENT|", dom0.ask(RM, "/none/deeper"));
        assertEquals("!EINVAL|", dom0.ask(RM, "/"));
    }

    @Test
    void relativePathsAreBelowTheDomainsHome() {
        assertEquals("OK|", guest.write("data/x", "1"));
        assertEquals("1", dom0.read("/local/domain/5/data/x"));
        dom0.write("name", "host");
        assertEquals("host", dom0.read("/local/domain/0/name"));
    }

    @Test
    void whatAGuestMakesIsItsOwnWithTheRightsOfTheParent() {
        dom0.permit("/local/domain/5/data", "n5", "r6");
        guest.write("data/x/y", "1");
        assertEquals("n5|r6|", guest.ask(GET_PERMS, "data/x/y"));
        dom0.permit("/local/domain/5/data", "b6", "r5");
        guest.write("data/x/y", "2"); // still its own
        assertEquals("n5|r6|", dom0.ask(GET_PERMS, "/local/domain/5/data/x"));
    }

    @Test
    void whatDomainZeroMakesKeepsTheParentsOwner() {
        dom0.write("/local/domain/5/data/z", "1");
        assertEquals("n5|", dom0.ask(GET_PERMS, "/local/domain/5/data/z"));
        assertEquals("OK|", guest.write("data/z", "2"));
    }

    @Test
    void aGuestReadsWhatItIsListedForButDoesNotWriteIt() {
        dom0.write("/local/domain/5/name", "g");
        dom0.permit("/local/domain/5/name", "n0", "r5");
        assertEquals("g", guest.read("name"));
        assertEquals("!EACCES|", guest.write("name", "h"));
        assertEquals("!EACCES|", guest.ask(RM, "name"));
        assertEquals("!EACCES|", guest.permit("name", "n0", "b5"));
    }

    @Test
    void anotherDomainsKeysAreOutOfReach() {
        guest.write("data/x", "1");
        assertEquals("!EACCES|", other.read("/local/domain/5/data/x"));
        assertEquals("!EACCES|", other.write("/local/domain/5/data/x", "2"));
        assertEquals("!EACCES|", other.ask(DIRECTORY, "/local/domain/5/data"));
        assertEquals("!EACCES|", other.ask(GET_PERMS, "/local/domain/5/data"));
    }

    @Test
    void whetherAForbiddenNodeExistsDoesNotShow() {
        guest.write("data/there", "1");
        assertEquals("!EACCES|", other.read("/local/domain/5/data/there"));
        assertEquals("!EACCES|", other.read("/local/domain/5/data/missing"));
        assertEquals("!EACCES|", other.read("/nothing/at/all"));
    }

    @Test
    void aMissingNodeBelowAReadableOneIsMissing() {
        assertEquals("!ENOENT|", guest.read("missing"));
        assertEquals("!ENOENT|", guest.read("data/a/b/c"));
    }

    @Test
    void aGuestCannotCreateWhereItMayOnlyRead() {
        assertEquals("!EACCES|", guest.write("new", "1"));
        assertEquals("!EACCES|", guest.ask(MKDIR, "new/deep"));
        assertEquals("!EACCES|", guest.ask(RM, "new"));
    }

    @Test
    void onlyTheOwnerSetsPermissionsAndOnlyDomainZeroTheOwner() {
        guest.write("data/x", "1");
        assertEquals("OK|", guest.permit("data/x", "r5", "b6"));
        assertEquals("OK|", other.write("/local/domain/5/data/x", "2"));
        assertEquals("!EACCES|", other.permit("/local/domain/5/data/x", "n6"));
        assertEquals("!EPERM|", guest.permit("data/x", "n6"));
        assertEquals("OK|", dom0.permit("/local/domain/5/data/x", "n6"));
        assertEquals("!EACCES|", guest.read("data/x"));
    }

    @Test
    void writingAnothersNodeLeavesItsOwner() {
        guest.write("data/x", "1");
        guest.permit("data/x", "n5", "w6");
        assertEquals("OK|", other.write("/local/domain/5/data/x", "2"));
        assertEquals("!EACCES|", other.read("/local/domain/5/data/x"));
        assertEquals("n5|w6|", guest.ask(GET_PERMS, "data/x"));
    }

    @Test
    void aReservedDomainIdOwnsNothing() {
        dom0.write("/a", "");
        assertEquals("!ENOENT|", dom0.permit("/a", "n32752"));
        assertEquals("!EINVAL|", dom0.permit("/a", "n70000"));
    }

    @Test
    void badPathsAreInvalid() {
        for (String path :
                new String[] {"", "//", "/a/", "/a//b", "/a b", "/ä", "a/", "@introduceDomain"}) {
            assertEquals("!EINVAL|", dom0.read(path), path);
            assertEquals("!EINVAL|", dom0.write(path, "x"), path);
            assertEquals("!EINVAL|", dom0.ask(MKDIR, path), path);
            assertEquals("!EINVAL|", dom0.ask(RM, path), path);
        }
        assertEquals("OK|", dom0.write("/" + "x".repeat(3071), ""));
        assertEquals("!EINVAL|", dom0.write("/" + "x".repeat(3072), ""));
    }

    @Test
    void aGuestsPathLimitDoesNotCountItsHome() {
        String longest = "data/" + "x".repeat(2048 - 5);
        assertEquals("!ENOENT|", guest.read("/local/domain/5/" + longest));
        assertEquals("!EINVAL|", guest.read("/local/domain/5/" + longest + "x"));
        assertEquals("!EINVAL|", guest.read("/local/domain/x/" + longest));
    }

    @Test
    void specialNodesHavePermissions() {
        assertEquals("n0|", dom0.ask(GET_PERMS, "@releaseDomain"));
        assertEquals("!EACCES|", guest.ask(GET_PERMS, "@releaseDomain"));
        assertEquals("OK|", dom0.permit("@releaseDomain", "n0", "r5"));
        assertEquals("n0|r5|", guest.ask(GET_PERMS, "@releaseDomain"));
        assertEquals("!ENOENT|", dom0.permit("@other", "n0"));
    }

    @Test
    void malformedPayloadsAreInvalid() {
        byte[] noNul = XsWire.bytes("/a");
        for (var type :
                new io.grantwire.xenstore.XsType[] {
                    io.grantwire.xenstore.XsType.READ,
                    DIRECTORY,
                    GET_PERMS,
                    MKDIR,
                    RM,
                    io.grantwire.xenstore.XsType.WRITE,
                    io.grantwire.xenstore.XsType.SET_PERMS
                }) {
            assertEquals("!EINVAL|", dom0.ask(0, type, noNul), type.name());
            assertEquals("!EINVAL|", dom0.ask(0, type, new byte[0]), type.name());
        }
        assertEquals("!EINVAL|", dom0.ask(MKDIR, "/a", "/b"));
    }
}
