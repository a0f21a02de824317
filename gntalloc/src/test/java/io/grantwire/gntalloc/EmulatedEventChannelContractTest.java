package io.grantwire.gntalloc;

import io.grantwire.gntalloc.emulated.EmulatedHostFixture;
import org.junit.jupiter.api.AfterEach;

/** The emulated hypervisor, a guest offering ports to domain 0. */
class EmulatedEventChannelContractTest extends EventChannelContractTest {
    private EmulatedHostFixture host;

    @Override
    protected Pair open() {
        host = new EmulatedHostFixture();
        return new Pair(host.connect(3).events(), 3, host.connect(0).events(), 0);
    }

    @AfterEach
    void closeHost() {
        host.close();
    }
}
