package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.virtio.RingIndex;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreWatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A back end for one guest that does what the original did, and only that: its way of reading keys
 * and index pages, its fixed ring of 256 at fixed offsets, its habits (the header descriptor is
 * skipped unread, {@code next} is followed once, the length in the descriptor table is
 * overwritten). Where the original would have crashed, this throws. It shares no constants with the
 * front end, so that a mistake there shows here.
 */
final class OriginalBackEnd implements AutoCloseable {
    private static final int RING = 256;
    private static final long AVAIL_IDX = 4096 + 2;
    private static final long AVAIL_RING = 4096 + 4;
    private static final long USED_IDX = 8192 + 2;
    private static final long USED_RING = 8192 + 4;
    private static final int HEADER = 10;

    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private record Pool(long gva, GrantMapping mapping, MemorySegment memory) {}

    /** One device of the guest. */
    final class Device {
        final byte[] mac;
        private final MemorySegment rx;
        private final MemorySegment tx;
        final MemorySegment flag;
        private final List<GrantMapping> mappings = new ArrayList<>();
        private int rxAvail;
        private int rxUsed;
        private int txAvail;
        private int txUsed;

        private Device(int v) {
            int[] rxNode = node(key(v + "_rx_vring_gref"));
            int[] txNode = node(key(v + "_tx_vring_gref"));
            mac = mac(key(v + "_ether_addr"));
            rx = ring(rxNode);
            tx = ring(txNode);
            GrantMapping page = map(new int[] {Integer.decode(key(v + "_vring_flag"))});
            mappings.add(page);
            flag = page.segment();
            check(flagByte() != 0, "flag byte is zero");
        }

        private MemorySegment ring(int[] grefs) {
            check(grefs.length == 3, "a ring of " + grefs.length + " pages");
            GrantMapping mapping = map(grefs);
            mappings.add(mapping);
            return mapping.segment();
        }

        int flagByte() {
            return flag.get(ValueLayout.JAVA_BYTE, 0) & 0xff;
        }

        /** Receive buffers that the guest has posted and that were not filled yet. */
        int posted() {
            return RingIndex.acquire(rx, AVAIL_IDX) - rxAvail & 0xffff;
        }

        /** Copies a frame into the guest; false when it has posted no buffer. */
        boolean deliver(byte[] frame) {
            return deliver(MemorySegment.ofArray(frame), 0, frame.length);
        }

        private boolean deliver(MemorySegment from, long at, int length) {
            if (posted() == 0) {
                return false;
            }
            int head = rx.get(U16, AVAIL_RING + 2L * (rxAvail++ & RING - 1)) & 0xffff;
            long desc = 16L * head;
            int posted = rx.get(U32, desc + 8);
            check(posted >= HEADER + length, "the original would overrun the buffer");
            check((rx.get(U16, desc + 12) & 2) != 0, "a receive buffer that is not writable");
            long addr = rx.get(U64, desc);
            int pool = pool(addr, HEADER + length);
            MemorySegment memory = pools.get(pool).memory;
            long to = addr - pools.get(pool).gva;
            for (int i = 0; i < HEADER; i++) {
                memory.set(ValueLayout.JAVA_BYTE, to + i, (byte) 0);
            }
            if ((rx.get(U16, desc + 12) & 1) != 0) {
                throw new IllegalStateException("the stock front end posts single descriptors");
            }
            MemorySegment.copy(from, at, memory, to + HEADER, length);
            rx.set(U32, desc + 8, HEADER + length);
            long used = USED_RING + 8L * (rxUsed++ & RING - 1);
            rx.set(U32, used, head);
            rx.set(U32, used + 4, HEADER + length);
            RingIndex.release(rx, USED_IDX, rxUsed);
            return true;
        }

        /** Takes up to 32 frames that the guest has sent. */
        List<byte[]> take() {
            List<byte[]> frames = new ArrayList<>();
            while (frames.size() < 32 && nextFrame()) {
                byte[] frame = new byte[length];
                MemorySegment.copy(
                        pools.get(pool).memory, ValueLayout.JAVA_BYTE, offset, frame, 0, length);
                frames.add(frame);
                complete();
            }
            return frames;
        }

        /** Sends up to 32 of the guest's frames back to it; allocates nothing. */
        int echo() {
            int n = 0;
            while (n < 32 && posted() > 0 && nextFrame()) {
                deliver(pools.get(pool).memory, offset, length);
                complete();
                n++;
            }
            return n;
        }

        private int head;
        private int pool;
        private long offset;
        private int length;

        private boolean nextFrame() {
            if ((RingIndex.acquire(tx, AVAIL_IDX) - txAvail & 0xffff) == 0) {
                return false;
            }
            head = tx.get(U16, AVAIL_RING + 2L * (txAvail++ & RING - 1)) & 0xffff;
            // The header descriptor is skipped without a look at it, next is followed once.
            long data = 16L * (tx.get(U16, 16L * head + 14) & 0xffff);
            long addr = tx.get(U64, data);
            length = tx.get(U32, data + 8);
            pool = pool(addr, length);
            offset = addr - pools.get(pool).gva;
            return true;
        }

        private void complete() {
            long used = USED_RING + 8L * (txUsed++ & RING - 1);
            tx.set(U32, used, head);
            tx.set(U32, used + 4, 0);
            RingIndex.release(tx, USED_IDX, txUsed);
        }

        /** The guest's receive ring, to break rules in. */
        MemorySegment rxRing() {
            return rx;
        }

        MemorySegment txRing() {
            return tx;
        }

        void remove() {
            mappings.forEach(GrantMapping::close);
        }
    }

    private final Domain dom0;
    private final int domid;
    private final List<Pool> pools = new ArrayList<>();
    private final List<Device> devices = new ArrayList<>();

    OriginalBackEnd(Domain dom0, int domid) {
        this.dom0 = dom0;
        this.domid = domid;
    }

    /** Waits for a watch to show a start key of this guest; gives the device's number. */
    static int awaitStart(XenstoreWatch watch, int domid) throws InterruptedException {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < deadline) {
            XenstoreWatch.Event event = watch.await(Duration.ofSeconds(1));
            if (event != null) {
                String[] parts = event.path().split("/");
                if (parts.length == 7
                        && parts[3].equals(Integer.toString(domid))
                        && parts[6].startsWith("event_type_start_")) {
                    return Integer.parseInt(parts[6].substring("event_type_start_".length()));
                }
            }
        }
        throw new IllegalStateException("no device was started");
    }

    /** Adds a device whose start key is there, and the guest's pools if it is the first one. */
    Device add(int v) {
        check("1".equals(key("event_type_start_" + v)), "not started");
        Device device = new Device(v);
        if (pools.isEmpty()) {
            readPools();
        }
        devices.add(device);
        return device;
    }

    private void readPools() {
        Xenstore store = dom0.xenstore();
        for (int m = 0; m < 16; m++) {
            String list = store.readString(path(m + "_mempool_gref"));
            if (list == null) {
                break;
            }
            int[] grefs = node(list);
            long gva = Long.parseUnsignedLong(key(m + "_mempool_va").replaceFirst("^0x", ""), 16);
            GrantMapping memory = map(grefs);
            pools.add(new Pool(gva, memory, memory.segment()));
        }
        check(!pools.isEmpty(), "the guest has no mempool");
    }

    /** Reads the index pages that a key lists. */
    private int[] node(String list) {
        String[] strings = list.split(",", -1);
        check(strings.length <= 64, strings.length + " index pages");
        List<Integer> grefs = new ArrayList<>();
        boolean short_ = false;
        for (String s : strings) {
            int gref = Integer.decode(s);
            check(Integer.toString(gref).equals(s), "not a plain decimal: " + s);
            byte[] copy;
            try (GrantMapping page = map(new int[] {gref})) {
                copy = page.segment().toArray(ValueLayout.JAVA_BYTE);
            }
            MemorySegment page = MemorySegment.ofArray(copy);
            check(!short_, "an index page after a short one");
            for (int i = 0; i < 512; i++) {
                int entry = page.get(U32, 8L * i);
                if (entry <= 0) {
                    short_ = true;
                    break;
                }
                grefs.add(entry);
            }
        }
        check(short_, "every index page is full: the original's map loop fails");
        return grefs.stream().mapToInt(Integer::intValue).toArray();
    }

    private GrantMapping map(int[] grefs) {
        // The original maps everything for writing.
        return dom0.mapper().map(domid, grefs, true);
    }

    private int pool(long addr, int length) {
        for (int i = 0; i < pools.size(); i++) {
            Pool p = pools.get(i);
            if (addr >= p.gva && addr - p.gva + length <= p.memory.byteSize()) {
                return i;
            }
        }
        throw new IllegalStateException("the original would crash at " + Long.toHexString(addr));
    }

    private String path(String name) {
        return "/local/domain/" + domid + "/control/dpdk/" + name;
    }

    private String key(String name) {
        String value = dom0.xenstore().readString(path(name));
        check(value != null, name + " is missing");
        return value;
    }

    private static byte[] mac(String text) {
        String[] groups = text.split(":", -1);
        check(groups.length == 6, "not a MAC address: " + text);
        byte[] mac = new byte[6];
        for (int i = 0; i < 6; i++) {
            check(groups[i].length() == 2, "not a MAC address: " + text);
            mac[i] = (byte) Integer.parseInt(groups[i], 16);
        }
        return mac;
    }

    private static void check(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException(what);
        }
    }

    @Override
    public void close() {
        devices.forEach(Device::remove);
        pools.forEach(p -> p.mapping.close());
    }
}
