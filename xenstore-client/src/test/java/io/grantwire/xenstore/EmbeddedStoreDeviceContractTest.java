package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;

class EmbeddedStoreDeviceContractTest extends EmbeddedStoreContract {
    @Override
    Via via() {
        return Via.DEVICE;
    }
}
