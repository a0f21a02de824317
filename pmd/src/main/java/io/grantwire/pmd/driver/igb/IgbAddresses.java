package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.net.MacAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * The receive address registers (82576 datasheet, RAL and RAH): the exact addresses that the card
 * takes frames for, and with VMDq the pools that get them. The first is the card's own.
 *
 * <p>Pool 0 stands in none of them: as the default pool it gets what is no other's.
 *
 * <p>Control path, one thread; what is set survives the card's reset here.
 */
final class IgbAddresses {
    private final CardRegisters registers;

    /** What the registers hold; null where they are free. */
    private final MacAddress[] addresses;

    /** Whether the address is received for its own sake, not only for a pool's. */
    private final boolean[] wanted;

    private final int[] pools;

    IgbAddresses(CardRegisters registers, int count, MacAddress own) {
        this.registers = registers;
        this.addresses = new MacAddress[count];
        this.wanted = new boolean[count];
        this.pools = new int[count];
        addresses[0] = own;
        wanted[0] = true;
    }

    /** The addresses that are received for their own sake, the card's own first. */
    List<MacAddress> wanted() {
        List<MacAddress> list = new ArrayList<>();
        for (int i = 0; i < addresses.length; i++) {
            if (wanted[i]) {
                list.add(addresses[i]);
            }
        }
        return list;
    }

    /** Whether there is a register for an address. */
    boolean hasRoom(MacAddress address) {
        return find(address) >= 0 || find(null) >= 0;
    }

    /** Receives an address; there is room. */
    void add(MacAddress address, boolean live) {
        int i = slot(address);
        wanted[i] = true;
        write(i, live);
    }

    /** Undoes {@link #add}; false when it was not added. */
    boolean remove(MacAddress address, boolean live) {
        int i = find(address);
        if (i < 0 || !wanted[i]) {
            return false;
        }
        wanted[i] = false;
        write(i, live);
        return true;
    }

    /** Replaces the card's own address, by one that is not in the list for its own sake. */
    void setOwn(MacAddress address, boolean live) {
        int other = find(address);
        MacAddress before = addresses[0];
        int beforePools = pools[0];
        pools[0] = other > 0 ? pools[other] : 0;
        addresses[0] = address;
        write(0, live);
        if (other > 0) {
            addresses[other] = null;
            wanted[other] = false;
            pools[other] = 0;
            write(other, live);
        }
        if (beforePools != 0) {
            // The old one is some pool's as well. A register has become free, or there was one.
            int i = slot(before);
            pools[i] = beforePools;
            write(i, live);
        }
    }

    /** Has a pool above 0 get an address's frames; there is room. */
    void addPool(MacAddress address, int pool, boolean live) {
        int i = slot(address);
        pools[i] |= 1 << pool;
        write(i, live);
    }

    /** Has a pool get no address's frames any more. */
    void removePool(int pool, boolean live) {
        for (int i = 0; i < addresses.length; i++) {
            if ((pools[i] & 1 << pool) != 0) {
                pools[i] &= ~(1 << pool);
                write(i, live);
            }
        }
    }

    /** Tells the card all. */
    void apply() {
        for (int i = 0; i < addresses.length; i++) {
            write(i, true);
        }
    }

    private int find(MacAddress address) {
        for (int i = 0; i < addresses.length; i++) {
            if (address == null ? addresses[i] == null : address.equals(addresses[i])) {
                return i;
            }
        }
        return -1;
    }

    private int slot(MacAddress address) {
        int i = find(address);
        if (i < 0) {
            i = find(null);
            addresses[i] = address;
        }
        return i;
    }

    private void write(int i, boolean live) {
        if (!wanted[i] && pools[i] == 0) {
            addresses[i] = null;
        }
        if (!live) {
            return;
        }
        MacAddress address = addresses[i];
        if (address == null) {
            // High first: without AV the rest does not count.
            registers.write(ral(i) + 4, 0);
            registers.write(ral(i), 0);
            return;
        }
        long bytes = Long.reverseBytes(address.value() << 16);
        if ((registers.read(ral(i)) ^ (int) bytes) != 0) {
            registers.write(ral(i) + 4, 0);
            registers.write(ral(i), (int) bytes);
        }
        registers.write(
                ral(i) + 4, (int) (bytes >>> 32) & 0xffff | pools[i] << RAH_POOLSEL_SHIFT | RAH_AV);
    }
}
