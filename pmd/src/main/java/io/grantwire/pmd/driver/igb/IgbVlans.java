package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The VLAN filters. VFTA, a bit for each VLAN, decides which tagged frames are received at all
 * (82576 datasheet, VFTA); with VMDq, VLVF then says for 32 of them which pools are in it
 * (7.10.3.3).
 *
 * <p>Pool 0 is in every VLAN of VLVF, for the sake of group frames.
 *
 * <p>Control path, one thread; what is set survives the card's reset here.
 */
final class IgbVlans {
    private static final int FREE = -1;
    private static final int POOL_0 = 1;

    private final CardRegisters registers;
    private final BitSet listed = new BitSet();

    /** The VLANs in VLVF and the pools above 0 that are in them. */
    private final int[] vlans = new int[VLVF_COUNT];

    private final int[] pools = new int[VLVF_COUNT];

    private boolean filtering;
    private boolean vmdq;

    IgbVlans(CardRegisters registers) {
        this.registers = registers;
        Arrays.fill(vlans, FREE);
    }

    /**
     * Chooses what it is for; pools are forgotten.
     *
     * @param filter whether only listed VLANs are received
     * @param withPools whether there are pools
     */
    void configure(boolean filter, boolean withPools) {
        filtering = filter;
        vmdq = withPools;
        Arrays.fill(vlans, FREE);
        Arrays.fill(pools, 0);
        if (vmdq) {
            listed.stream().limit(VLVF_COUNT).forEach(vlan -> vlans[entry(vlan)] = vlan);
        }
    }

    /** Whether RCTL.VFE has to be set. */
    boolean enabled() {
        return filtering || vmdq;
    }

    /** Whether there is an entry of VLVF for a VLAN. */
    boolean hasRoom(int vlan) {
        return !vmdq || entry(vlan) >= 0;
    }

    /** Takes a VLAN into the list or off it; there is room. */
    void list(int vlan, boolean on, boolean live) {
        listed.set(vlan, on);
        int i = vmdq ? entry(vlan) : FREE;
        if (i >= 0) {
            vlans[i] = on || pools[i] != 0 ? vlan : FREE;
            writeEntry(i, live);
        }
        writeTable(vlan, live);
    }

    /** Puts a pool above 0 into a VLAN; there is room. */
    void addPool(int vlan, int pool, boolean live) {
        int i = entry(vlan);
        vlans[i] = vlan;
        pools[i] |= 1 << pool;
        writeEntry(i, live);
        writeTable(vlan, live);
    }

    /** Takes a pool out of all VLANs. */
    void removePool(int pool, boolean live) {
        for (int i = 0; i < VLVF_COUNT; i++) {
            if ((pools[i] & 1 << pool) != 0) {
                int vlan = vlans[i];
                pools[i] &= ~(1 << pool);
                if (pools[i] == 0 && !listed.get(vlan)) {
                    vlans[i] = FREE;
                }
                writeEntry(i, live);
                writeTable(vlan, live);
            }
        }
    }

    /** Tells the card all. */
    void apply() {
        for (int i = 0; i < VFTA_REGISTERS; i++) {
            writeTable(i * Integer.SIZE, true);
        }
        for (int i = 0; i < VLVF_COUNT; i++) {
            writeEntry(i, true);
        }
    }

    /** The entry that a VLAN has in VLVF, or a free one, or -1. */
    private int entry(int vlan) {
        int free = -1;
        for (int i = 0; i < VLVF_COUNT; i++) {
            if (vlans[i] == vlan) {
                return i;
            }
            if (vlans[i] == FREE && free < 0) {
                free = i;
            }
        }
        return free;
    }

    private boolean received(int vlan) {
        if (!filtering || listed.get(vlan)) {
            return true;
        }
        for (int i = 0; i < VLVF_COUNT; i++) {
            if (vlans[i] == vlan) {
                return true;
            }
        }
        return false;
    }

    /** Writes the register of VFTA with a VLAN's bit. */
    private void writeTable(int vlan, boolean live) {
        if (!live) {
            return;
        }
        int word = vlan / Integer.SIZE;
        int bits = 0;
        for (int i = 0; i < Integer.SIZE; i++) {
            if (received(word * Integer.SIZE + i)) {
                bits |= 1 << i;
            }
        }
        registers.write(nth(VFTA, word), bits);
    }

    private void writeEntry(int i, boolean live) {
        if (live) {
            registers.write(
                    nth(VLVF, i),
                    vlans[i] == FREE
                            ? 0
                            : vlans[i] | (pools[i] | POOL_0) << VLVF_POOLSEL_SHIFT | VLVF_VI_EN);
        }
    }
}
