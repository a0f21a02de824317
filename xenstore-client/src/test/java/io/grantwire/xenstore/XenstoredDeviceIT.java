package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;

class XenstoredDeviceIT extends XenstoredContract {
    @Override
    Via via() {
        return Via.DEVICE;
    }
}
