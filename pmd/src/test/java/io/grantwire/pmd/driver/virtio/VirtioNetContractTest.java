package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.util.ArrayList;
import java.util.List;

/** The driver contract over a model of the device. */
class VirtioNetContractTest extends EthDeviceContractTest {
    private VirtioRig rig;

    @Override
    protected Rig openRig() {
        rig = new VirtioRig();
        return rig;
    }

    /** The device sends all frames back; without any in flight, some are seeded. */
    @Override
    protected void stimulate(int received) {
        if (received == 0) {
            rig.card.echo = true;
            rig.seed();
        }
    }

    private static final class VirtioRig implements Rig {
        private final FakeVirtioNet card = new FakeVirtioNet(FakeDmaSpace.iommu());
        private final EthDevice device = new VirtioNetDevice("pci:0000:00:04.0", card);
        private final byte[] seed = Frames.bytes(64, 1);
        private final List<byte[]> pending = new ArrayList<>();

        @Override
        public EthDevice device() {
            return device;
        }

        @Override
        public Mempool newPool(int count) {
            return Mempool.create(
                    MempoolConfig.of("contract", count).withSource(device.packetMemory()));
        }

        @Override
        public void started() {
            // The frames of the contract are for any station.
            device.setPromiscuous(true);
        }

        @Override
        public void arrive(int frames, int size) {
            for (int i = 0; i < frames; i++) {
                pending.add(Frames.bytes(size, i));
            }
            service();
        }

        @Override
        public void service() {
            while (!pending.isEmpty() && card.arrive(pending.getFirst())) {
                pending.removeFirst();
            }
        }

        @Override
        public List<byte[]> departed() {
            return card.take();
        }

        void seed() {
            for (int i = 0; i < 32; i++) {
                card.arrive(seed);
            }
        }
    }
}
