package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;

class EmbeddedStoreLibraryContractTest extends EmbeddedStoreContract {
    @Override
    Via via() {
        return Via.LIBRARY;
    }
}
