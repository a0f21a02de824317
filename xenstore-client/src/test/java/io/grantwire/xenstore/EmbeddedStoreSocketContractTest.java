package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;

class EmbeddedStoreSocketContractTest extends EmbeddedStoreContract {
    @Override
    Via via() {
        return Via.SOCKET;
    }
}
