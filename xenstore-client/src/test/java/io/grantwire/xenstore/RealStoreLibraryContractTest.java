package io.grantwire.xenstore;

import java.util.Optional;

class RealStoreLibraryContractTest extends RealStoreContract {

    @Override
    Xenstore open() {
        return Xenstores.library();
    }

    @Override
    Optional<String> unavailable() {
        return Xenstores.libraryUnavailable();
    }
}
