package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The receive half of {@link Model82576}: 82576 datasheet 7.1 and 7.10.3. */
final class ModelReceiver {
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int RAR = 24;
    private static final int POOLS = 8;
    private static final int[] SIZES = {64, 127, 255, 511, 1023};

    private final Model82576 card;
    private final byte[] stripped = new byte[16 * 1024];

    /** Whether group frames go to every pool that takes them, as in QEMU's model. */
    private boolean replicates;

    private int rssHash;
    private int rssType;

    ModelReceiver(Model82576 card) {
        this.card = card;
    }

    void replicateAlways() {
        replicates = true;
    }

    /** Whether some ring has the frame now. */
    boolean receive(byte[] frame, int length) {
        int rctl = card.reg(RCTL);
        if ((rctl & RCTL_RXEN) == 0 || !card.linkUp()) {
            return false;
        }
        boolean tagged = u16(frame, 12) == 0x8100;
        int vlan = tagged ? u16(frame, 14) & 0xfff : -1;
        boolean vmdq = (card.reg(MRQC) & 7) == 3;
        int longest = (rctl & RCTL_LPE) != 0 ? card.reg(RLPML) : 1522;
        if (length + 4 > longest) {
            card.count(0x40AC, 1);
            return false;
        }
        if (tagged && (rctl & RCTL_VFE) != 0 && !bit(VFTA, vlan)) {
            return false;
        }
        if (!accepted(frame, rctl)) {
            return false;
        }
        rssType = 0;
        rssHash = 0;
        int queues = vmdq ? pools(frame, vlan, (rctl & RCTL_VFE) != 0) : 1 << rssQueue(frame);
        boolean any = false;
        for (int q = 0; q < 16; q++) {
            if ((queues & 1 << q) != 0) {
                any |= deliver(q, frame, length, tagged, vmdq);
            }
        }
        return any;
    }

    /** The first stage: addresses. */
    private boolean accepted(byte[] frame, int rctl) {
        if (isBroadcast(frame)) {
            return (rctl & RCTL_BAM) != 0;
        }
        boolean group = (frame[0] & 1) != 0;
        if ((rctl & (group ? RCTL_MPE : RCTL_UPE)) != 0 || exact(frame) >= 0) {
            return true;
        }
        int hash = (frame[4] & 0xff) >> 4 | (frame[5] & 0xff) << 4;
        return bit(group ? MTA : UTA, hash & 0xfff);
    }

    /** The second stage: pools, 7.10.3.3. */
    private int pools(byte[] frame, int vlan, boolean filter) {
        boolean group = (frame[0] & 1) != 0;
        int list = 0;
        if (group && replicates) {
            for (int p = 0; p < POOLS; p++) {
                int takes = isBroadcast(frame) ? VMOLR_BAM : VMOLR_ROMPE;
                if ((card.reg(nth(VMOLR, p)) & takes) != 0) {
                    list |= 1 << p;
                }
            }
        } else if (!group) {
            for (int i = 0; i < RAR; i++) {
                if (matches(frame, i)) {
                    list |= card.reg(ral(i) + 4) >>> RAH_POOLSEL_SHIFT & 0xff;
                }
            }
        }
        if (filter) {
            int members = 0;
            if (vlan >= 0) {
                for (int i = 0; i < VLVF_COUNT; i++) {
                    int entry = card.reg(nth(VLVF, i));
                    if (entry < 0 && (entry & 0xfff) == vlan) {
                        members |= entry >>> VLVF_POOLSEL_SHIFT & 0xff;
                    }
                }
            } else {
                for (int p = 0; p < POOLS; p++) {
                    if ((card.reg(nth(VMOLR, p)) & VMOLR_AUPE) != 0) {
                        members |= 1 << p;
                    }
                }
            }
            list &= members;
        }
        boolean toDefault = list == 0 && (!group || !replicates);
        if (toDefault && (card.reg(VT_CTL) & 1 << 29) == 0) {
            list = 1 << (card.reg(VT_CTL) >> 7 & 7);
        }
        return list & card.reg(VFRE);
    }

    private boolean deliver(int q, byte[] frame, int length, boolean tagged, boolean vmdq) {
        int size = card.reg(queue(RDLEN, q)) / 16;
        if ((card.reg(queue(RXDCTL, q)) & XDCTL_ENABLE) == 0 || size == 0) {
            return false;
        }
        boolean strip =
                tagged
                        && (vmdq
                                ? (card.reg(nth(VMOLR, q & 7)) & VMOLR_STRVLAN) != 0
                                : (card.reg(CTRL) & CTRL_VME) != 0);
        int tci = strip ? u16(frame, 14) : 0;
        byte[] data = frame;
        int left = length;
        if (strip) {
            System.arraycopy(frame, 0, stripped, 0, 12);
            System.arraycopy(frame, 16, stripped, 12, length - 16);
            data = stripped;
            left = length - 4;
        }
        int buffer = (card.reg(queue(SRRCTL, q)) & 0x7f) * 1024;
        if ((card.reg(queue(SRRCTL, q)) >> 25 & 7) != 1) {
            throw new AssertionError("SRRCTL does not ask for advanced descriptors");
        }
        int head = card.reg(queue(RDH, q));
        int tail = card.reg(queue(RDT, q));
        int have = (tail - head + size) % size;
        if (have * buffer < left) {
            boolean drops = (card.reg(queue(SRRCTL, q)) & SRRCTL_DROP_EN) != 0;
            card.count(drops ? queue(RQDPC, q) : 0x4010, 1);
            return false;
        }
        long status = metadata(data, left);
        if (strip) {
            status |= 1 << 3 | (long) tci << 48;
        }
        for (int at = 0; left > 0; ) {
            int n = Math.min(left, buffer);
            left -= n;
            write(q, head, data, at, n, left == 0 ? status | 2 : 0);
            at += n;
            head = (head + 1) % size;
        }
        card.set(queue(RDH, q), head);
        statistics(frame, length);
        card.interruptRx(q);
        return true;
    }

    private void write(int q, int head, byte[] data, int at, int n, long status) {
        long base =
                card.reg(queue(RDBAL, q)) & 0xffff_ffffL | (long) card.reg(queue(RDBAH, q)) << 32;
        if (!card.reach(base + 16L * head, 16)) {
            return;
        }
        MemorySegment ring = card.dma.found();
        long desc = card.dma.foundOffset();
        if ((ring.get(LONG, desc + 8) & 1) != 0) {
            throw new AssertionError("a descriptor with DD is posted");
        }
        if (card.reach(ring.get(LONG, desc), n)) {
            MemorySegment.copy(
                    data, at, card.dma.found(), ValueLayout.JAVA_BYTE, card.dma.foundOffset(), n);
        }
        ring.set(LONG, desc, rssType | (long) rssHash << 32);
        ring.set(LONG, desc + 8, status | 1 | (long) n << 32);
    }

    /** Writes a descriptor back as a broken card might, whatever was asked for. */
    void writeBack(int q, long w0, long w1) {
        int size = card.reg(queue(RDLEN, q)) / 16;
        int head = card.reg(queue(RDH, q));
        long base =
                card.reg(queue(RDBAL, q)) & 0xffff_ffffL | (long) card.reg(queue(RDBAH, q)) << 32;
        if (!card.reach(base + 16L * head, 16)) {
            throw new AssertionError("no ring");
        }
        card.dma.found().set(LONG, card.dma.foundOffset(), w0);
        card.dma.found().set(LONG, card.dma.foundOffset() + 8, w1);
        card.set(queue(RDH, q), (head + 1) % size);
    }

    private void statistics(byte[] frame, int length) {
        card.count(0x4074, 1);
        card.countBytes(0x4088, length + 4);
        card.count(0x40D0, 1);
        card.countBytes(0x40C0, length + 4);
        int bin = 0;
        while (bin < SIZES.length && length + 4 > SIZES[bin]) {
            bin++;
        }
        card.count(0x405C + 4 * bin, 1);
        if (isBroadcast(frame)) {
            card.count(0x4078, 1);
        } else if ((frame[0] & 1) != 0) {
            card.count(0x407C, 1);
        }
    }

    /** Checks the checksums: status and errors, 7.1.5. */
    private long metadata(byte[] data, int length) {
        int rxcsum = card.reg(RXCSUM);
        if (u16(data, 12) != 0x0800 || length < 34) {
            return 0;
        }
        int ip = 14;
        int header = (data[ip] & 0xf) * 4;
        long status = 0;
        if ((rxcsum & RXCSUM_IPOFLD) != 0) {
            status |= 1 << 6;
            if (sum(data, ip, ip + header) != 0xffff) {
                status |= 1 << 30;
            }
        }
        int protocol = data[ip + 9];
        int l4 = ip + header;
        int end = ip + u16(data, ip + 2);
        if ((rxcsum & RXCSUM_TUOFLD) != 0 && (protocol == 6 || protocol == 17) && end <= length) {
            status |= protocol == 17 ? 1 << 4 | 1 << 5 : 1 << 5;
            int sum = sum(data, l4, end) + sum(data, ip + 12, ip + 20) + protocol + end - l4;
            while (sum >>> 16 != 0) {
                sum = (sum & 0xffff) + (sum >>> 16);
            }
            if (sum != 0xffff) {
                status |= 1 << 29;
            }
        }
        return status;
    }

    /** Hashes, 7.1.1.7; the queue. */
    private int rssQueue(byte[] frame) {
        int mrqc = card.reg(MRQC);
        if ((mrqc & 7) != 2 || u16(frame, 12) != 0x0800) {
            return 0;
        }
        int ip = 14;
        int protocol = frame[ip + 9];
        int bytes;
        if (protocol == 6 && (mrqc & 1 << 16) != 0) {
            rssType = 1;
            bytes = 12;
        } else if (protocol == 17 && (mrqc & 1 << 22) != 0) {
            rssType = 7;
            bytes = 12;
        } else if ((mrqc & 1 << 17) != 0) {
            rssType = 2;
            bytes = 8;
        } else {
            return 0;
        }
        int hash = 0;
        for (int bit = 0; bit < bytes * 8; bit++) {
            if ((frame[ip + 12 + bit / 8] & 0x80 >> bit % 8) != 0) {
                hash ^= keyAt(bit);
            }
        }
        rssHash = hash;
        int entry = hash & 0x7f;
        return card.reg(RETA + (entry & ~3)) >> 8 * (entry & 3) & 0xf;
    }

    /** 32 bits of the key from a bit on. */
    private int keyAt(int bit) {
        int word = 0;
        for (int i = 0; i < 32; i++) {
            int at = bit + i;
            int b = card.reg(RSSRK + (at / 8 & ~3)) >> 8 * (at / 8 & 3) & 0xff;
            word = word << 1 | b >> 7 - at % 8 & 1;
        }
        return word;
    }

    private int exact(byte[] frame) {
        for (int i = 0; i < RAR; i++) {
            if (matches(frame, i)) {
                return i;
            }
        }
        return -1;
    }

    private boolean matches(byte[] frame, int i) {
        int high = card.reg(ral(i) + 4);
        if ((high & RAH_AV) == 0) {
            return false;
        }
        int low = card.reg(ral(i));
        for (int k = 0; k < 6; k++) {
            int b = k < 4 ? low >> 8 * k : high >> 8 * (k - 4);
            if ((b & 0xff) != (frame[k] & 0xff)) {
                return false;
            }
        }
        return true;
    }

    private boolean bit(int table, int n) {
        return (card.reg(nth(table, n >> 5)) & 1 << (n & 31)) != 0;
    }

    private static boolean isBroadcast(byte[] frame) {
        return (frame[0] & frame[1] & frame[2] & frame[3] & frame[4] & frame[5]) == -1;
    }

    private static int u16(byte[] b, int at) {
        return (b[at] & 0xff) << 8 | b[at + 1] & 0xff;
    }

    /** The ones' complement sum of 16-bit words, folded. */
    static int sum(byte[] b, int from, int to) {
        int sum = 0;
        for (int i = from; i < to; i++) {
            sum += (i - from & 1) == 0 ? (b[i] & 0xff) << 8 : b[i] & 0xff;
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }
}
