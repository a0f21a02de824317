package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.EmbeddedStore;
import io.grantwire.xenstore.testing.StoreUnderTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract on the server of this project. */
abstract class EmbeddedStoreContract extends XenstoreContractTest {
    // Subclasses run one after the other.
    private static EmbeddedStore embedded;

    @BeforeAll
    static void startEmbedded() {
        embedded = EmbeddedStore.start();
    }

    @AfterAll
    static void stopEmbedded() {
        embedded.close();
    }

    @Override
    StoreUnderTest server() {
        return embedded;
    }
}
