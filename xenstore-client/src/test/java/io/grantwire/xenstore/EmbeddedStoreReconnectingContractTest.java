package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;
import java.nio.file.Path;

/** A connection that would come back is like any other as long as it does not have to. */
class EmbeddedStoreReconnectingContractTest extends EmbeddedStoreContract {
    @Override
    Via via() {
        return Via.SOCKET;
    }

    @Override
    Xenstore open(Path socket) {
        return Xenstores.reconnecting(Xenstores.Options.socket(socket), Reconnection.DEFAULT);
    }
}
