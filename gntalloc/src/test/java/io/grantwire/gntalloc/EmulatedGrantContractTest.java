package io.grantwire.gntalloc;

import io.grantwire.gntalloc.emulated.EmulatedHostFixture;
import io.grantwire.gntalloc.emulated.HypervisorClient;
import org.junit.jupiter.api.AfterEach;

/** The emulated hypervisor, a guest granting to domain 0. */
class EmulatedGrantContractTest extends GrantContractTest {
    private EmulatedHostFixture host;

    @Override
    protected Pair open() {
        host = new EmulatedHostFixture();
        HypervisorClient dom0 = host.connect(0);
        HypervisorClient guest = host.connect(3);
        return new Pair(guest.sharer(), 3, dom0.mapper(), 0);
    }

    @AfterEach
    void closeHost() {
        host.close();
    }
}
