package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StoreDomainTest {
    private static final long SECOND = 1_000_000_000L;

    private final WriteCredit credit = new WriteCredit();

    @Test
    void aBurstIsFree() {
        for (int i = 0; i < WriteCredit.BURST; i++) {
            credit.spend(0);
            assertEquals(0, credit.nanosToWait(0));
        }
        credit.spend(0);
        assertEquals(SECOND / WriteCredit.PER_SECOND, credit.nanosToWait(0));
    }

    @Test
    void timePaysBackUpToABurst() {
        for (int i = 0; i < 3 * WriteCredit.BURST; i++) {
            credit.spend(0);
        }
        long wait = credit.nanosToWait(0);
        assertTrue(credit.nanosToWait(wait - 1) > 0);
        assertEquals(0, credit.nanosToWait(wait));
        assertEquals(0, credit.nanosToWait(1000 * SECOND));
        for (int i = 0; i < WriteCredit.BURST; i++) {
            credit.spend(1000 * SECOND);
        }
        assertEquals(0, credit.nanosToWait(1000 * SECOND));
        credit.spend(1000 * SECOND);
        assertTrue(credit.nanosToWait(1000 * SECOND) > 0);
    }

    @Test
    void complaintsAboutADomainAreRare() {
        StoreDomain domain = new StoreDomain(5);
        assertTrue(domain.mayComplain(-SECOND));
        assertFalse(domain.mayComplain(0));
        assertFalse(domain.mayComplain(8 * SECOND));
        assertTrue(domain.mayComplain(9 * SECOND));
        assertFalse(domain.mayComplain(10 * SECOND));
    }
}
