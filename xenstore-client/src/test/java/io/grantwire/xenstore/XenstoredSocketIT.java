package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;

class XenstoredSocketIT extends XenstoredContract {
    @Override
    Via via() {
        return Via.SOCKET;
    }
}
