package io.grantwire.vswitch;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import java.util.ArrayList;
import java.util.List;

/** The driver contract for a guest's device, with a real front end at the other end. */
class VhostContractTest extends EthDeviceContractTest {
    private VhostRig rig;

    @Override
    protected Rig openRig() {
        rig = new VhostRig();
        return rig;
    }

    /** The guest sends all frames back; without any in flight, one burst is seeded. */
    @Override
    protected void stimulate(int received) {
        if (rig.echo() == 0 && received == 0) {
            rig.seed();
        }
    }

    private static final class VhostRig implements Rig {
        private final LogLines log = new LogLines("PORT", "XENHOST", "PMD");
        private final Bed bed = new Bed();
        private final FrontEnd guest = new FrontEnd(bed.guest(1), 0, 0x11);
        private final VhostDevice device = VhostDevice.open(bed.dom0(), 1, 0);
        private final byte[] seed = Frames.frame(0x22, 0x11, 64, 1);
        private final List<byte[]> pending = new ArrayList<>();
        private final int[] burst = new int[32];

        @Override
        public EthDevice device() {
            return device;
        }

        @Override
        public void started() {
            Bed.await("the guest attached", () -> device.link().up());
        }

        @Override
        public void arrive(int frames, int size) {
            for (int i = 0; i < frames; i++) {
                pending.add(Frames.frame(0x22, 0x11, size, i));
            }
            service();
        }

        @Override
        public void service() {
            while (!pending.isEmpty() && guest.send(pending.getFirst())) {
                pending.removeFirst();
            }
        }

        @Override
        public List<byte[]> departed() {
            return guest.receive();
        }

        int echo() {
            int n = guest.device.rxBurst(0, burst, 0, 32);
            int sent = 0;
            while (sent < n) {
                sent += guest.device.txBurst(0, burst, sent, n - sent);
            }
            return n;
        }

        void seed() {
            for (int i = 0; i < 32; i++) {
                guest.send(seed);
            }
        }

        @Override
        public void close() throws Exception {
            guest.close();
            bed.close();
            log.close();
        }
    }
}
