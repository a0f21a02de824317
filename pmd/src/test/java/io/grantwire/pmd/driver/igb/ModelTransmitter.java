package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The transmit half of {@link Model82576}: 82576 datasheet 7.2. */
final class ModelTransmitter {
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int QUEUES = 16;
    private static final int MAX = 16 * 1024;

    private final Model82576 card;
    private final long[][] contexts = new long[QUEUES * 2][2];
    private final byte[] frame = new byte[MAX];
    private final int[] contextWrites = new int[QUEUES];
    private int length;
    private long first;
    private boolean begun;

    ModelTransmitter(Model82576 card) {
        this.card = card;
    }

    void reset() {
        for (long[] context : contexts) {
            Arrays.fill(context, 0);
        }
        begun = false;
        length = 0;
    }

    /** How many context descriptors a queue has had. */
    int contextWrites(int queue) {
        return contextWrites[queue];
    }

    void transmit(int q) {
        int size = card.reg(queue(TDLEN, q)) / 16;
        if ((card.reg(TCTL) & TCTL_EN) == 0
                || (card.reg(queue(TXDCTL, q)) & XDCTL_ENABLE) == 0
                || !card.linkUp()
                || size == 0) {
            return;
        }
        int head = card.reg(queue(TDH, q));
        int tail = card.reg(queue(TDT, q));
        if (tail >= size) {
            throw new AssertionError("TDT " + tail + " of a ring of " + size);
        }
        long base =
                card.reg(queue(TDBAL, q)) & 0xffff_ffffL | (long) card.reg(queue(TDBAH, q)) << 32;
        while (head != tail) {
            if (!card.reach(base + 16L * head, 16)) {
                return;
            }
            descriptor(q, card.dma.found(), card.dma.foundOffset());
            head = (head + 1) % size;
        }
        card.set(queue(TDH, q), head);
    }

    private void descriptor(int q, MemorySegment ring, long at) {
        long w0 = ring.get(LONG, at);
        long w1 = ring.get(LONG, at + 8);
        if ((w1 & 1 << 29) == 0) {
            throw new AssertionError("a legacy descriptor");
        }
        int type = (int) (w1 >> 20) & 0xf;
        if (type == 2) {
            long[] context = contexts[2 * q + (int) (w1 >>> 36 & 1)];
            context[0] = w0;
            context[1] = w1;
            contextWrites[q]++;
            return;
        }
        if (type != 3) {
            throw new AssertionError("descriptor type " + type);
        }
        if (!begun) {
            begun = true;
            first = w1;
            length = 0;
        }
        int n = (int) w1 & 0xffff;
        if (n == 0) {
            throw new AssertionError("an empty buffer");
        }
        if (card.reach(w0, n)) {
            MemorySegment.copy(
                    card.dma.found(),
                    ValueLayout.JAVA_BYTE,
                    card.dma.foundOffset(),
                    frame,
                    length,
                    n);
        }
        length += n;
        if ((w1 & 1 << 24) != 0) {
            begun = false;
            send(q);
        }
        if ((w1 & 1 << 27) != 0) {
            ring.set(LONG, at + 8, w1 & 0xffff_ffffL | 1L << 32);
        }
    }

    private void send(int q) {
        if (first >>> 46 != length) {
            throw new AssertionError("PAYLEN " + (first >>> 46) + " of " + length + " bytes");
        }
        if ((first & 1 << 25) == 0) {
            throw new AssertionError("no IFCS");
        }
        long[] context = contexts[2 * q + (int) (first >>> 36 & 1)];
        int mac = (int) context[0] >> 9 & 0x7f;
        int ip = (int) context[0] & 0x1ff;
        if ((first & 1L << 40) != 0) {
            int at = mac + 10;
            put(at, ~sum(mac, mac + ip) & 0xffff);
        }
        if ((first & 1L << 41) != 0) {
            boolean tcp = (context[1] >> 11 & 3) == 1;
            int l4 = mac + ip;
            int end = l4 + l4Length(mac, ip);
            put(l4 + (tcp ? 16 : 6), ~sum(l4, end) & 0xffff);
        }
        if ((first & 1 << 30) != 0 && (card.reg(CTRL) & CTRL_VME) != 0) {
            System.arraycopy(frame, 12, frame, 16, length - 12);
            put(12, 0x8100);
            put(14, (int) (context[0] >>> 16) & 0xffff);
            length += 4;
        }
        if (length < 60) {
            Arrays.fill(frame, length, 60, (byte) 0);
            length = 60;
        }
        card.depart(frame, length);
        card.count(0x4080, 1);
        card.countBytes(0x4090, length + 4);
        card.count(0x40D4, 1);
        card.countBytes(0x40C8, length + 4);
    }

    /** Padding is no part of a packet. */
    private int l4Length(int mac, int ip) {
        boolean v4 = (frame[mac] & 0xf0) == 0x40;
        return v4 ? get(mac + 2) - ip : get(mac + 4) + 40 - ip;
    }

    private int get(int at) {
        return (frame[at] & 0xff) << 8 | frame[at + 1] & 0xff;
    }

    private void put(int at, int value) {
        frame[at] = (byte) (value >> 8);
        frame[at + 1] = (byte) value;
    }

    private int sum(int from, int to) {
        return ModelReceiver.sum(frame, from, to);
    }
}
