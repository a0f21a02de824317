package io.grantwire.pmd.driver.igb;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.pmd.testkit.Frames;
import java.util.List;

/** The contract of all drivers, over the model of the card. */
class IgbContractTest extends EthDeviceContractTest {
    private final byte[] frame = frame(64, 1);
    private Model82576 card;

    private static byte[] frame(int size, int tag) {
        byte[] bytes = Frames.bytes(size, tag);
        System.arraycopy(Model82576.MAC.bytes(), 0, bytes, 0, 6);
        return bytes;
    }

    @Override
    protected Rig openRig() {
        card = new Model82576();
        IgbDevice opened = card.open();
        return new Rig() {
            @Override
            public EthDevice device() {
                return opened;
            }

            @Override
            public void arrive(int frames, int size) {
                for (int i = 0; i < frames; i++) {
                    card.inject(frame(size, i));
                }
            }

            @Override
            public List<byte[]> departed() {
                return card.departed();
            }

            @Override
            public void close() {
                org.junit.jupiter.api.Assertions.assertEquals(0, card.dmaFaults(), "DMA faults");
            }
        };
    }

    @Override
    protected void stimulate(int n) {
        for (int i = 0; i < 32; i++) {
            card.inject(frame, frame.length);
        }
    }
}
