package io.grantwire.vswitch.forward;

import java.util.Arrays;
import java.util.Map;

/**
 * Which device has an address: an immutable open-addressing table, at most a quarter full. A change
 * makes a new table, which the workers get as part of a new {@link Topology}.
 */
public final class MacTable {
    /** The table without entries. */
    public static final MacTable EMPTY = of(Map.of());

    /** No device. */
    public static final int NONE = -1;

    // An address has 48 bits, so this is none.
    private static final long FREE = -1;
    private static final long GOLDEN = 0x9e37_79b9_7f4a_7c15L;

    private final long[] keys;
    private final int[] values;
    private final int shift;
    private final int size;

    private MacTable(Map<Long, Integer> entries) {
        int bits = 4;
        while (1 << bits < 4 * entries.size()) {
            bits++;
        }
        keys = new long[1 << bits];
        values = new int[1 << bits];
        shift = 64 - bits;
        size = entries.size();
        Arrays.fill(keys, FREE);
        entries.forEach(this::put);
    }

    private void put(long mac, int device) {
        int i = slot(mac);
        while (keys[i] != FREE) {
            i = i + 1 & keys.length - 1;
        }
        keys[i] = mac;
        values[i] = device;
    }

    private int slot(long mac) {
        return (int) (mac * GOLDEN >>> shift);
    }

    /**
     * A table of these entries.
     *
     * @param entries device numbers, 0 or greater, by address, its first octet in bits 47 to 40
     */
    public static MacTable of(Map<Long, Integer> entries) {
        return new MacTable(entries);
    }

    /**
     * The number of the device with this address, or {@link #NONE}.
     *
     * @param mac the address, its first octet in bits 47 to 40
     */
    public int find(long mac) {
        long[] keys = this.keys;
        int i = slot(mac);
        while (true) {
            long key = keys[i];
            if (key == mac) {
                return values[i];
            }
            if (key == FREE) {
                return NONE;
            }
            i = i + 1 & keys.length - 1;
        }
    }

    /** How many addresses there are. */
    public int size() {
        return size;
    }
}
