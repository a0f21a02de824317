package io.grantwire.pmd.driver.virtio;

import io.grantwire.bindings.raw.HostMemory;
import io.grantwire.pmd.net.InternetChecksum;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import io.grantwire.pmd.testkit.pci.FakePciDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A model of a virtio network device as the specification describes it, as far as the driver goes,
 * and the means to break its rules. It works inside the driver's doorbell writes; {@link #echo}
 * lets frames come in again at once, without allocation.
 */
final class FakeVirtioNet extends FakePciDevice {
    static final MacAddress ADDRESS = MacAddress.parse("52:54:00:12:34:57");
    static final long EVERYTHING =
            VirtioFeatures.CSUM
                    | VirtioFeatures.GUEST_CSUM
                    | VirtioFeatures.MTU
                    | VirtioFeatures.MAC
                    | VirtioFeatures.MRG_RXBUF
                    | VirtioFeatures.STATUS
                    | VirtioFeatures.CTRL_VQ
                    | VirtioFeatures.CTRL_RX
                    | VirtioFeatures.CTRL_VLAN
                    | VirtioFeatures.CTRL_MAC_ADDR
                    | VirtioFeatures.MQ
                    | VirtioFeatures.RING_EVENT_IDX
                    | VirtioFeatures.VERSION_1
                    | VirtioFeatures.ACCESS_PLATFORM
                    | VirtioFeatures.SPEED_DUPLEX
                    | 1L << 28
                    | 1L << 34;

    static final int PAIRS = 4;
    private static final int CONTROL = 2 * PAIRS;
    private static final int QUEUES = CONTROL + 1;
    private static final int MAX_SIZE = 256;

    private static final int COMMON = 0;
    private static final int ISR = 0x1000;
    private static final int DEVICE = 0x2000;
    private static final int NOTIFY = 0x3000;
    private static final int BAR_BYTES = 0x4000;

    private static final int MAX = 65_536;
    private static final int HEADER = 12;
    private static final MemorySegment ALL = HostMemory.ALL;
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort LE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final class Queue {
        int size = MAX_SIZE;
        int vector = VirtioPciTransport.NO_VECTOR;
        boolean enabled;
        final int[] addresses = new int[6];
        int lastAvail;
        int used;
        int signalled;

        long address(int which) {
            return addresses[2 * which] & 0xFFFF_FFFFL | (long) addresses[2 * which + 1] << 32;
        }
    }

    private final Queue[] queues = new Queue[QUEUES];
    private final MemorySegment out = Arena.ofAuto().allocate(MAX, 8);
    private final MemorySegment in = Arena.ofAuto().allocate(MAX, 8);
    private final List<byte[]> sent = new ArrayList<>();
    private int deviceSelect;
    private int driverSelect;
    private int select;
    private int isr;
    private int status;
    long accepted;

    long offered = EVERYTHING;
    boolean echo;
    boolean linkUp = true;
    boolean refusesFeatures;
    boolean silent;
    boolean wantsKicks = true;
    int rxQueue;

    /** What the driver has commanded. */
    int pairs = 1;

    boolean promiscuous = true;
    boolean allMulticast;
    MacAddress address = ADDRESS;
    final List<MacAddress> table = new ArrayList<>();
    final Set<Integer> vlans = new TreeSet<>();

    /** Doorbells rung, and chains of each length that were transmitted. */
    int doorbells;

    int descriptors;

    /** How the device fills in headers: flags, and where a checksum goes. */
    int headerFlags;

    int sumStart;
    int sumOffset;

    /** A number of buffers that is a lie; -1 for the truth. */
    int numBuffers = -1;

    FakeVirtioNet(FakeDmaSpace dma) {
        super(0x1AF4, 0x1041, dma, BAR_BYTES, 8);
        reset0();
        setConfig(0x06, 0x10);
        setConfig(0x34, 0x40);
        // cfg_type 3 at first, then one that is reserved, then the others.
        capability(0x40, 0x50, 16, 3, 4, ISR, 0x1000);
        capability(0x50, 0x60, 16, 77, 4, 0, 0x1000);
        capability(0x60, 0x70, 16, 1, 4, COMMON, 0x1000);
        capability(0x70, 0x80, 16, 4, 4, DEVICE, 0x1000);
        capability(0x80, 0x00, 20, 2, 4, NOTIFY, 0x1000);
        setConfig(0x90, 4, 0, 0, 0);
    }

    void capability(int at, int next, int length, int type, int bar, int offset, int size) {
        setConfig(at, 0x09, next, length, type, bar, 0, 0, 0);
        for (int i = 0; i < 4; i++) {
            setConfig(at + 8 + i, offset >>> 8 * i);
            setConfig(at + 12 + i, size >>> 8 * i);
        }
    }

    private void reset0() {
        for (int i = 0; i < QUEUES; i++) {
            queues[i] = new Queue();
        }
        status = 0;
        accepted = 0;
        pairs = 1;
        promiscuous = true;
        allMulticast = false;
        table.clear();
        vlans.clear();
    }

    /** Whether the driver has let the device go. */
    boolean isReset() {
        return status == 0;
    }

    void needReset() {
        status |= VirtioPciTransport.DEVICE_NEEDS_RESET;
    }

    List<byte[]> take() {
        List<byte[]> all = List.copyOf(sent);
        sent.clear();
        return all;
    }

    private boolean using(long feature) {
        return (accepted & feature) != 0;
    }

    // Registers.

    @Override
    protected int readRegister(int bar, long offset, int size) {
        int at = (int) offset;
        if (at >= DEVICE && at < NOTIFY) {
            return config(at - DEVICE);
        }
        if (at == ISR) {
            int value = isr;
            isr = 0;
            return value;
        }
        Queue q = select < QUEUES ? queues[select] : null;
        return switch (at) {
            case 4 -> (int) (deviceSelect == 0 ? offered : offered >>> 32);
            case 18 -> QUEUES;
            case 20 -> status;
            case 21 -> 0;
            case 24 -> q == null ? 0 : q.size;
            case 26 -> q == null ? VirtioPciTransport.NO_VECTOR : q.vector;
            case 30 -> select;
            default -> 0;
        };
    }

    private int config(int at) {
        if (at < 6) {
            return (int) (address.value() >>> 8 * (5 - at)) & 0xFF;
        }
        return switch (at) {
            case 6 -> linkUp ? 1 : 0;
            case 8 -> PAIRS;
            case 10 -> 9000 & 0xFF;
            case 11 -> 9000 >>> 8;
            case 12 -> 10_000 & 0xFF;
            case 13 -> 10_000 >>> 8;
            case 16 -> 1;
            default -> 0;
        };
    }

    @Override
    protected void writeRegister(int bar, long offset, int size, int value) {
        int at = (int) offset;
        if (at >= NOTIFY) {
            doorbells++;
            notified(at - NOTIFY >> 2);
            return;
        }
        switch (at) {
            case 0 -> deviceSelect = value;
            case 8 -> driverSelect = value;
            case 12 ->
                    accepted =
                            driverSelect == 0
                                    ? accepted & ~0xFFFF_FFFFL | value & 0xFFFF_FFFFL
                                    : accepted & 0xFFFF_FFFFL | (long) value << 32;
            case 20 -> setStatus(value);
            case 22 -> select = value;
            case 24 -> queues[select].size = value;
            case 26 -> queues[select].vector = value;
            case 28 -> queues[select].enabled = true;
            default -> {
                if (at >= 32 && at < 56) {
                    queues[select].addresses[(at - 32) / 4] = value;
                }
            }
        }
    }

    private void setStatus(int value) {
        if (value == 0) {
            reset0();
            return;
        }
        status = value;
        if ((value & VirtioPciTransport.FEATURES_OK) != 0
                && (refusesFeatures
                        || (accepted & ~offered) != 0
                        || !using(VirtioFeatures.VERSION_1))) {
            status &= ~VirtioPciTransport.FEATURES_OK;
        }
    }

    private boolean running() {
        return (status & VirtioPciTransport.DRIVER_OK) != 0 && busMaster();
    }

    // Rings.

    private long at(long bus, int bytes) {
        long host = dma().translate(bus, bytes);
        if (host == 0) {
            throw new AssertionError("the device was given an address that is not mapped");
        }
        return host;
    }

    private int u16(long bus) {
        return ALL.get(LE16, at(bus, 2)) & 0xFFFF;
    }

    private int avail(Queue q) {
        int idx = u16(q.address(1) + 2);
        VarHandle.acquireFence();
        return idx;
    }

    /** The next chain's head; -1 when there is none. */
    private int nextHead(Queue q) {
        if (!q.enabled || avail(q) == q.lastAvail) {
            return -1;
        }
        int head = u16(q.address(1) + 4 + 2L * (q.lastAvail & q.size - 1));
        q.lastAvail = q.lastAvail + 1 & 0xFFFF;
        return head;
    }

    private long desc(Queue q, int i) {
        return at(q.address(0) + 16L * i, 16);
    }

    private void putUsed(Queue q, int id, int len) {
        long entry = at(q.address(2) + 4 + 8L * (q.used & q.size - 1), 8);
        ALL.set(LE32, entry, id);
        ALL.set(LE32, entry + 4, len);
        q.used = q.used + 1 & 0xFFFF;
    }

    private void publish(Queue q) {
        VarHandle.releaseFence();
        ALL.set(LE16, at(q.address(2) + 2, 2), (short) q.used);
        VarHandle.fullFence();
        boolean wanted;
        if (using(VirtioFeatures.RING_EVENT_IDX)) {
            int event = u16(q.address(1) + 4 + 2L * q.size);
            wanted = (q.used - event - 1 & 0xFFFF) < (q.used - q.signalled & 0xFFFF);
        } else {
            wanted = (u16(q.address(1)) & 1) == 0;
        }
        q.signalled = q.used;
        if (wanted) {
            isr = 1;
            interrupt(q.vector == VirtioPciTransport.NO_VECTOR ? 0 : q.vector);
        }
    }

    /** Says how the device wants to be told of new buffers. */
    private void askForKicks(Queue q) {
        if (using(VirtioFeatures.RING_EVENT_IDX)) {
            int event = wantsKicks ? q.lastAvail : q.lastAvail - 1;
            ALL.set(LE16, at(q.address(2) + 4 + 8L * q.size, 2), (short) event);
        } else {
            ALL.set(LE16, at(q.address(2), 2), (short) (wantsKicks ? 0 : 1));
        }
    }

    private void notified(int index) {
        if (!running() || silent) {
            return;
        }
        if (index == CONTROL || index == 2 && !using(VirtioFeatures.MQ)) {
            commands(queues[index]);
        } else if ((index & 1) == 1) {
            transmit(index);
        } else {
            askForKicks(queues[index]);
        }
    }

    /** A device that polls its transmit queue. */
    void poll(int pair) {
        transmit(2 * pair + 1);
    }

    // Transmit.

    private void transmit(int index) {
        Queue q = queues[index];
        boolean any = false;
        for (int head = nextHead(q); head >= 0; head = nextHead(q)) {
            int length = gather(q, head);
            depart(length);
            putUsed(q, head, 0);
            any = true;
        }
        if (any) {
            publish(q);
        }
        askForKicks(q);
    }

    /** Copies what the device reads of a chain; returns how many bytes. */
    private int gather(Queue q, int head) {
        int length = 0;
        int i = head;
        for (int hops = 0; hops <= q.size; hops++) {
            long d = desc(q, i);
            int flags = ALL.get(LE16, d + 12);
            int len = ALL.get(LE32, d + 8);
            descriptors++;
            if ((flags & 2) == 0) {
                MemorySegment.copy(ALL, at(ALL.get(LE64, d), len), out, length, len);
                length += len;
            }
            if ((flags & 1) == 0) {
                return length;
            }
            i = ALL.get(LE16, d + 14) & 0xFFFF;
        }
        throw new AssertionError("a chain without end");
    }

    private void depart(int length) {
        if (out.get(U8, 0) == 1) {
            int start = HEADER + (out.get(LE16, 6) & 0xFFFF);
            int field = start + (out.get(LE16, 8) & 0xFFFF);
            out.set(BE16, field, (short) InternetChecksum.of(out, start, length - start));
        }
        int frame = length - HEADER;
        if (echo) {
            MemorySegment.copy(out, HEADER, in, 0, frame);
            receive(frame);
        } else {
            sent.add(out.asSlice(HEADER, frame).toArray(U8));
        }
    }

    // Receive.

    /** A frame comes from the network; false when there are no buffers for it. */
    boolean arrive(byte[] frame) {
        MemorySegment.copy(frame, 0, in, U8, 0, frame.length);
        return receive(frame.length);
    }

    private boolean wanted() {
        long to = 0;
        for (int i = 0; i < 6; i++) {
            to = to << 8 | in.get(U8, i) & 0xFF;
        }
        boolean tagged = in.get(BE16, 12) == (short) 0x8100;
        if (tagged
                && using(VirtioFeatures.CTRL_VLAN)
                && !vlans.contains(in.get(BE16, 14) & 0xFFF)) {
            return false;
        }
        if (promiscuous || to == MacAddress.MASK) {
            return true;
        }
        if ((to & MacAddress.GROUP_BIT) != 0) {
            return allMulticast;
        }
        return to == address.value() || table.contains(new MacAddress(to));
    }

    private boolean receive(int length) {
        Queue q = queues[2 * rxQueue];
        if (!running() || !wanted()) {
            return true;
        }
        int startAvail = q.lastAvail;
        int startUsed = q.used;
        int done = 0;
        int buffers = 0;
        long headerAt = 0;
        while (done < length) {
            int head = nextHead(q);
            if (head < 0 || !using(VirtioFeatures.MRG_RXBUF) && buffers == 1) {
                q.lastAvail = startAvail;
                q.used = startUsed;
                return false;
            }
            long d = desc(q, head);
            int room = ALL.get(LE32, d + 8);
            long host = at(ALL.get(LE64, d), room);
            int skip = buffers == 0 ? HEADER : 0;
            if (buffers == 0) {
                headerAt = host;
            }
            int n = Math.min(room - skip, length - done);
            MemorySegment.copy(in, done, ALL, host + skip, n);
            done += n;
            buffers++;
            putUsed(q, head, n + skip);
        }
        ALL.set(LE64, headerAt, 0L);
        ALL.set(U8, headerAt, (byte) headerFlags);
        ALL.set(LE16, headerAt + 6, (short) sumStart);
        ALL.set(LE16, headerAt + 8, (short) sumOffset);
        ALL.set(LE16, headerAt + 10, (short) (numBuffers < 0 ? buffers : numBuffers));
        publish(q);
        return true;
    }

    // Commands.

    private void commands(Queue q) {
        for (int head = nextHead(q); head >= 0; head = nextHead(q)) {
            int length = gather(q, head);
            boolean done = command(out.get(U8, 0), out.get(U8, 1), length - 2);
            long d = desc(q, head);
            while ((ALL.get(LE16, d + 12) & 1) != 0) {
                d = desc(q, ALL.get(LE16, d + 14) & 0xFFFF);
            }
            ALL.set(U8, at(ALL.get(LE64, d), 1), (byte) (done ? 0 : 1));
            putUsed(q, head, 1);
        }
        publish(q);
        askForKicks(q);
    }

    private boolean command(int commandClass, int command, int bytes) {
        int number = out.get(LE16, 2) & 0xFFFF;
        switch (commandClass << 8 | command) {
            case 0x000 -> promiscuous = out.get(U8, 2) != 0;
            case 0x001 -> allMulticast = out.get(U8, 2) != 0;
            case 0x100 -> {
                table.clear();
                int count = out.get(LE32, 2);
                for (int i = 0; i < count; i++) {
                    table.add(mac(6 + 6 * i));
                }
                return bytes == 4 + 6 * count + 4;
            }
            case 0x101 -> address = mac(2);
            case 0x200 -> vlans.add(number);
            case 0x201 -> vlans.remove(number);
            case 0x400 -> {
                if (number < 1 || number > PAIRS) {
                    return false;
                }
                pairs = number;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private MacAddress mac(int at) {
        return MacAddress.of(out.asSlice(at, 6).toArray(U8));
    }

    // Breaking the rules.

    /** The head of the next buffer of a queue, without taking it. */
    int peekHead(int queue) {
        Queue q = queues[queue];
        return u16(q.address(1) + 4 + 2L * (q.lastAvail & q.size - 1));
    }

    /** Says that a buffer was used, whatever it says. */
    void claim(int queue, int id, int len) {
        putUsed(queues[queue], id, len);
        publish(queues[queue]);
    }

    /** Takes the next buffer of a queue, and says that so much of it was used. */
    void use(int queue, int len) {
        claim(queue, nextHead(queues[queue]), len);
    }

    /** Moves {@code used.idx} without entries behind it. */
    void jump(int queue, int by) {
        queues[queue].used = queues[queue].used + by & 0xFFFF;
        publish(queues[queue]);
    }
}
