package io.grantwire.pmd.testkit;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Frames as bytes, and short ways to get them through a device. */
public final class Frames {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private Frames() {}

    /** A frame between locally administered addresses, its other bytes depending on a tag. */
    public static byte[] bytes(int size, int tag) {
        byte[] frame = new byte[size];
        for (int i = 0; i < size; i++) {
            frame[i] = (byte) (tag * 31 + i * 7);
        }
        frame[0] = 2;
        frame[6] = 2;
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xb5;
        return frame;
    }

    /** The same frame with an 802.1Q tag. */
    public static byte[] tagged(byte[] frame, int tci) {
        byte[] tagged = new byte[frame.length + 4];
        System.arraycopy(frame, 0, tagged, 0, 12);
        tagged[12] = (byte) 0x81;
        tagged[14] = (byte) (tci >> 8);
        tagged[15] = (byte) tci;
        System.arraycopy(frame, 12, tagged, 16, frame.length - 12);
        return tagged;
    }

    /** Configures one queue each way and starts. */
    public static void start(EthDevice device, Mempool pool) {
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
    }

    /** A frame in an mbuf. */
    public static int mbuf(Mempool pool, byte[] frame) {
        int m = pool.alloc();
        if (m == 0) {
            throw new AssertionError("pool is empty");
        }
        Mbuf.append(m, frame.length);
        MemorySegment.copy(
                frame, 0, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), frame.length);
        return m;
    }

    /** Sends one frame. */
    public static void send(EthDevice device, Mempool pool, byte[] frame) {
        transmit(device, mbuf(pool, frame));
    }

    /** Sends one frame and has the device insert a tag. */
    public static void sendWithTagToInsert(EthDevice device, Mempool pool, byte[] frame, int tci) {
        int m = mbuf(pool, frame);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, tci);
        transmit(device, m);
    }

    private static void transmit(EthDevice device, int m) {
        int[] one = {m};
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (device.txBurst(0, one, 0, 1) == 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the device takes no frame");
            }
        }
    }

    /** Receives until there are {@code wanted} frames. */
    public static List<byte[]> receive(EthDevice device, int wanted) {
        List<byte[]> frames = new ArrayList<>();
        int[] burst = new int[32];
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (frames.size() < wanted) {
            int n = device.rxBurst(0, burst, 0, 32);
            for (int i = 0; i < n; i++) {
                int m = burst[i];
                frames.add(
                        Mbuf.segment(m)
                                .asSlice(Mbuf.offset(m), Mbuf.dataLen(m))
                                .toArray(ValueLayout.JAVA_BYTE));
                Mbuf.free(m);
            }
            if (n == 0 && System.nanoTime() > deadline) {
                throw new AssertionError(frames.size() + " of " + wanted + " frames arrived");
            }
        }
        return frames;
    }

    /** Waits until {@code wanted} frames have come out at the other end. */
    public static List<byte[]> await(WireEnd end, int wanted) throws InterruptedException {
        List<byte[]> frames = new ArrayList<>();
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (frames.size() < wanted) {
            frames.addAll(end.received());
            if (System.nanoTime() > deadline) {
                throw new AssertionError(frames.size() + " of " + wanted + " frames came out");
            }
            Thread.sleep(1);
        }
        return frames;
    }
}
