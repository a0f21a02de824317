package io.grantwire.vswitch.testkit;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.util.ArrayList;
import java.util.List;

/** A guest's xenvirt device, stepped by a test. */
public final class FrontEnd implements AutoCloseable {
    private final int[] burst = new int[32];

    /** Its pool, granted to domain 0. */
    public final Mempool pool;

    /** The device. */
    public final EthDevice device;

    /** Starts device {@code number} of a guest. */
    public FrontEnd(Domain guest, int number, long mac) {
        pool = XenvirtMempools.create(guest, "vm" + guest.domid() + "-" + number, 1024, 2048, 0);
        device =
                EthDrivers.probe(
                        "eth_xenvirt" + number + ",mac=" + MacAddress.format(mac), () -> guest);
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
    }

    /** Sends a frame; says whether there was room. */
    public boolean send(byte[] frame) {
        int[] one = {Frames.mbuf(pool, frame)};
        if (device.txBurst(0, one, 0, 1) == 1) {
            return true;
        }
        pool.free(one[0]);
        return false;
    }

    /** Sends a frame, waiting for room. */
    public void sendSurely(byte[] frame) {
        Bed.await("room to send", () -> send(frame));
    }

    /** Takes what has come. */
    public List<byte[]> receive() {
        List<byte[]> frames = new ArrayList<>();
        int n = device.rxBurst(0, burst, 0, burst.length);
        for (int i = 0; i < n; i++) {
            frames.add(Frames.bytes(burst[i]));
            pool.free(burst[i]);
        }
        return frames;
    }

    /** Takes so many frames, waiting for them. */
    public List<byte[]> receive(int count) {
        List<byte[]> frames = new ArrayList<>();
        Bed.await(
                count + " frames",
                () -> {
                    frames.addAll(receive());
                    return frames.size() >= count;
                },
                frames::size);
        return frames;
    }

    @Override
    public void close() {
        device.close();
        pool.close();
    }
}
