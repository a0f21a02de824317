package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PermissionsTest {
    private static final int ALL = Permissions.READ | Permissions.WRITE | Permissions.OWNER;

    private static Permissions of(String... texts) throws StoreError {
        return Permissions.parse(List.of(texts));
    }

    @Test
    void theOwnerMayDoEverything() throws StoreError {
        assertEquals(ALL, of("n5", "n5").of(new StoreDomain(5)));
    }

    @Test
    void domainZeroMayDoEverything() throws StoreError {
        assertEquals(ALL, of("n5", "n0").of(new StoreDomain(0)));
    }

    @Test
    void aDomainsOwnEntryDecides() throws StoreError {
        Permissions p = of("b0", "r5", "w5", "n6");
        assertEquals(Permissions.READ, p.of(new StoreDomain(5)));
        assertEquals(Permissions.NONE, p.of(new StoreDomain(6)));
    }

    @Test
    void othersGetTheFirstEntrysLetter() throws StoreError {
        assertEquals(Permissions.WRITE, of("w0", "r5").of(new StoreDomain(7)));
        assertEquals(Permissions.READ | Permissions.WRITE, of("b0", "r5").of(new StoreDomain(7)));
    }

    @Test
    void aDomainHasItsTargetsRights() throws StoreError {
        StoreDomain stub = new StoreDomain(8);
        stub.setTarget(5);
        assertEquals(ALL, of("n5").of(stub));
        assertEquals(Permissions.READ, of("n0", "r5").of(stub));
    }

    @Test
    void inheritingChangesTheOwnerAndKeepsTheRest() throws StoreError {
        assertEquals(List.of("r5", "w7"), of("r0", "w7").ownedBy(5).texts());
    }

    @Test
    void aDomainsEntriesCanBeTakenOut() throws StoreError {
        Permissions p = of("n5", "r6", "w5", "b6");
        assertTrue(p.lists(6));
        assertEquals(List.of("n5", "w5"), p.without(6).texts());
        assertFalse(p.without(6).lists(6));
    }

    @Test
    void nonsenseIsInvalid() {
        for (String text : List.of("", "n", "x5", "n-1", "n5x", "n65536", "n999999", "5")) {
            StoreError e = assertThrows(StoreError.class, () -> of("n0", text), text);
            assertEquals(StoreErrno.EINVAL, e.errno());
        }
        assertThrows(StoreError.class, () -> Permissions.parse(List.of()));
    }
}
