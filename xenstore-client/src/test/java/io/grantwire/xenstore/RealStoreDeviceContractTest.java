package io.grantwire.xenstore;

import java.nio.file.Files;
import java.util.Optional;

class RealStoreDeviceContractTest extends RealStoreContract {

    @Override
    Xenstore open() {
        return Xenstores.device(Xenstores.DEVICE);
    }

    @Override
    Optional<String> unavailable() {
        return Files.exists(Xenstores.DEVICE)
                ? Optional.empty()
                : Optional.of(Xenstores.DEVICE + " is not there");
    }
}
