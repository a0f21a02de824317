package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.Frames;
import java.util.ArrayList;
import java.util.List;

/** The driver contract over an emulated host, with a back end that behaves as the original. */
class XenvirtContractTest extends EthDeviceContractTest {
    private XenvirtRig rig;

    @Override
    protected Rig openRig() throws Exception {
        rig = new XenvirtRig();
        return rig;
    }

    /** The back end sends all frames back; without any in flight, one burst is seeded. */
    @Override
    protected void stimulate(int received) {
        if (rig.back.echo() == 0 && received == 0) {
            rig.seed();
        }
    }

    private static final class XenvirtRig implements Rig {
        private final EmulatedRig host = new EmulatedRig();
        private final EthDevice device = host.probe("net_xenvirt0,mac=02:00:00:00:00:11");
        private final OriginalBackEnd backEnd = new OriginalBackEnd(host.dom0, 1);
        private final byte[] seed = Frames.bytes(64, 1);
        private final List<byte[]> pending = new ArrayList<>();
        private OriginalBackEnd.Device back;

        XenvirtRig() throws Exception {}

        @Override
        public EthDevice device() {
            return device;
        }

        @Override
        public Mempool newPool(int count) {
            return host.pool(count);
        }

        @Override
        public void started() {
            if (back == null) {
                back = backEnd.add(0);
            }
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
            while (back != null && !pending.isEmpty() && back.deliver(pending.getFirst())) {
                pending.removeFirst();
            }
        }

        @Override
        public List<byte[]> departed() {
            return back.take();
        }

        void seed() {
            for (int i = 0; i < 32 && back.deliver(seed); i++) {}
        }

        @Override
        public void close() throws Exception {
            backEnd.close();
            // The pool is closed after this, and needs no host to be.
            host.close();
        }
    }
}
