package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.virtio.PeerMemory;
import io.grantwire.pmd.virtio.SplitRingChains;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The control queue (section 5.1.6.5): one command at a time, each waited for. Control path.
 *
 * <p>A command lies in the queue's extra memory: class and command, its data, and the answer.
 */
final class VirtioControlQueue {
    /** Receive addresses in a command, besides the device's own. */
    static final int MAX_ADDRESSES = 64;

    /** Extra memory that the queue needs. */
    static final int BYTES = 1024;

    private static final int RX = 0;
    private static final int RX_PROMISC = 0;
    private static final int RX_ALLMULTI = 1;
    private static final int MAC = 1;
    private static final int MAC_TABLE_SET = 0;
    private static final int MAC_ADDR_SET = 1;
    private static final int VLAN = 2;
    private static final int VLAN_ADD = 0;
    private static final int VLAN_DEL = 1;
    private static final int MQ = 4;
    private static final int MQ_VQ_PAIRS_SET = 0;

    private static final int HEADER = 2;
    private static final int ANSWER = BYTES - 1;
    private static final int OK = 0;
    private static final long NANOS = 2_000_000_000L;

    private final SplitRingChains ring;
    private final VirtioNotifier notifier;
    private final MemorySegment memory;
    private final long address;
    private final BooleanSupplier gone;
    private final int[] done = new int[1];

    /**
     * @param memory {@link #BYTES} that the device sees at {@code address}
     * @param gone whether waiting has become vain
     */
    VirtioControlQueue(
            SplitRingChains ring,
            VirtioNotifier notifier,
            MemorySegment memory,
            long address,
            BooleanSupplier gone) {
        this.ring = ring;
        this.notifier = notifier;
        this.memory = memory;
        this.address = address;
        this.gone = gone;
        notifier.suppress(0);
    }

    boolean setPromiscuous(boolean on) {
        return send(RX, RX_PROMISC, (byte) (on ? 1 : 0));
    }

    boolean setAllMulticast(boolean on) {
        return send(RX, RX_ALLMULTI, (byte) (on ? 1 : 0));
    }

    boolean setVlan(int vlan, boolean on) {
        return send(VLAN, on ? VLAN_ADD : VLAN_DEL, (byte) vlan, (byte) (vlan >>> 8));
    }

    boolean setPairs(int pairs) {
        return send(MQ, MQ_VQ_PAIRS_SET, (byte) pairs, (byte) (pairs >>> 8));
    }

    boolean setAddress(MacAddress own) {
        return send(MAC, MAC_ADDR_SET, own.bytes());
    }

    /** The addresses received besides the device's own: no more than {@link #MAX_ADDRESSES}. */
    boolean setAddresses(List<MacAddress> unicast) {
        byte[] data = new byte[4 + MacAddress.LENGTH * unicast.size() + 4];
        data[0] = (byte) unicast.size();
        for (int i = 0; i < unicast.size(); i++) {
            System.arraycopy(
                    unicast.get(i).bytes(), 0, data, 4 + MacAddress.LENGTH * i, MacAddress.LENGTH);
        }
        // The list of multicast addresses, which comes second, is empty.
        return send(MAC, MAC_TABLE_SET, data);
    }

    /** Whether the device did it; false also when it has gone, or does not answer. */
    private boolean send(int commandClass, int command, byte... data) {
        memory.set(ValueLayout.JAVA_BYTE, 0, (byte) commandClass);
        memory.set(ValueLayout.JAVA_BYTE, 1, (byte) command);
        MemorySegment.copy(data, 0, memory, ValueLayout.JAVA_BYTE, HEADER, data.length);
        memory.set(ValueLayout.JAVA_BYTE, ANSWER, (byte) 0xFF);
        if (ring.free() < 3) {
            return false;
        }
        int before = ring.availIdx();
        ring.begin();
        ring.add(address, HEADER, false, true);
        ring.add(address + HEADER, data.length, false, true);
        ring.add(address + ANSWER, 1, true, false);
        ring.end(1);
        ring.publish();
        notifier.kick(before, ring.availIdx());
        long end = System.nanoTime() + NANOS;
        while (ring.take(done, 1) == 0) {
            if (gone.getAsBoolean() || System.nanoTime() - end > 0) {
                return false;
            }
            Pause.millis(1);
        }
        return PeerMemory.readU8(memory, ANSWER) == OK;
    }
}
