package io.grantwire.xenstore;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

class RealStoreSocketContractTest extends RealStoreContract {
    private static final Path SOCKET = Path.of("/run/xenstored/socket");

    @Override
    Xenstore open() {
        return Xenstores.socket(SOCKET);
    }

    @Override
    Optional<String> unavailable() {
        return Files.exists(SOCKET)
                ? Optional.empty()
                : Optional.of(SOCKET + " is not there: xenstored runs in another domain");
    }
}
