package io.grantwire.bed;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;

/** Run when the bed is built, so that the classes which programs in the guest need are in an archive that they start from. */
public final class Rehearsal {
    private Rehearsal() {}

    public static void main(String[] args) {
        try (Mempool pool = Mempool.create(MempoolConfig.of("rehearsal", 64));
                EthDevice device = EthDrivers.probe("net_null0", () -> {
                    throw new IllegalStateException("no domain here");
                })) {
            device.configure(EthConfig.SINGLE_QUEUE);
            device.rxQueueSetup(0, 0, pool);
            device.txQueueSetup(0, 0);
            device.start();
            int[] mbufs = {pool.alloc()};
            if (device.txBurst(0, mbufs, 0, 1) == 0) {
                Mbuf.free(mbufs[0]);
            }
            System.out.println(device.link() + " " + device.stats());
            device.stop();
        }
        ContractRunner.main(new String[] {"io.grantwire.vfio.FakePciDeviceContractTest"});
    }
}
