package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/** What the parts of the contract build on. */
public interface Fixture {
    /** Long enough for a slow and busy machine. */
    Duration SOON = Duration.ofSeconds(20);

    /** The guest whose connections {@link #guest} opens; its keys are fresh for each test. */
    int GUEST = 7;

    /** A connection of domain 0, open during the test. */
    Xenstore store();

    /** One more connection of domain 0, closed after the test. */
    Xenstore another();

    /** One more connection of the guest, closed after the test. */
    Xenstore guest();

    /** Destroys the guest, as the hypervisor would. */
    void destroyGuest();

    /** The path of a key of this test's own. */
    String key(String name);

    /** Runs what has to fail with an errno, and returns the failure. */
    static XenstoreException failure(String errnoName, Executable action) {
        XenstoreException e = Assertions.assertThrows(XenstoreException.class, action);
        Assertions.assertEquals(errnoName, e.errnoName(), e.getMessage());
        return e;
    }
}
