package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;

class XenstoredLibraryIT extends XenstoredContract {
    @Override
    Via via() {
        return Via.LIBRARY;
    }
}
