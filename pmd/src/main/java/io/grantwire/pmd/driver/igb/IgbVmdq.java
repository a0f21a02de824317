package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.net.MacAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * VMDq (82576 datasheet 7.10.3): the card sorts frames into pools, here of one queue each. A pool
 * above 0 gets unicast frames for its addresses in its VLAN, tag taken off; pool 0 gets all others.
 *
 * <p>How the card comes to that (7.10.3.3): a frame's address gives pools (RAH); its VLAN takes
 * away those that are not in it (VLVF), and an untagged one all that do not take such (VMOLR.AUPE,
 * pool 0's only). What is left with no pool goes to the default pool, 0. Group frames are not
 * replicated (VT_CTL.Rpl_En = 0), which leaves them to the default pool; for cards that replicate
 * all the same, only pool 0 takes broadcasts and multicasts, and it is in every VLAN that has an
 * entry.
 *
 * <p>Control path, one thread; what is set survives the card's reset here.
 */
final class IgbVmdq {
    private static final int NO_VLAN = -1;

    private final CardRegisters registers;
    private final IgbModel model;
    private final IgbAddresses addresses;
    private final IgbVlans vlans;

    /** Pools; 0 without VMDq. */
    private int pools;

    /** The VLAN of each pool, and its addresses in it. */
    private final int[] vlan = new int[IgbModel.POOLS];

    private final List<Set<MacAddress>> members = new ArrayList<>();

    IgbVmdq(CardRegisters registers, IgbModel model, IgbAddresses addresses, IgbVlans vlans) {
        this.registers = registers;
        this.model = model;
        this.addresses = addresses;
        this.vlans = vlans;
        Arrays.fill(vlan, NO_VLAN);
        for (int p = 0; p < IgbModel.POOLS; p++) {
            members.add(new HashSet<>());
        }
    }

    /** Chooses the number of pools, 0 for none; what was assigned is forgotten. */
    void configure(int count) {
        for (int p = 1; p < pools; p++) {
            addresses.removePool(p, false);
        }
        pools = count;
        Arrays.fill(vlan, NO_VLAN);
        members.forEach(Set::clear);
    }

    boolean on() {
        return pools > 0;
    }

    int pools() {
        return pools;
    }

    /** Whether a pool has another VLAN already. */
    boolean isInOtherVlan(int p, int vlanId) {
        return vlan[p] != NO_VLAN && vlan[p] != vlanId;
    }

    /** The pool that an address in a VLAN belongs to, 0 for none. */
    int owner(MacAddress address, int vlanId) {
        for (int p = 1; p < pools; p++) {
            if (vlan[p] == vlanId && members.get(p).contains(address)) {
                return p;
            }
        }
        return 0;
    }

    /** Assigns; there are filters for it. */
    void assign(int p, MacAddress address, int vlanId, boolean live) {
        vlan[p] = vlanId;
        members.get(p).add(address);
        // The VLAN first: as long as the address is no pool's, its frames go to pool 0.
        vlans.addPool(vlanId, p, live);
        addresses.addPool(address, p, live);
    }

    /** Takes everything away from a pool. */
    void release(int p, boolean live) {
        vlan[p] = NO_VLAN;
        members.get(p).clear();
        addresses.removePool(p, live);
        vlans.removePool(p, live);
    }

    /**
     * Tells the card how pools receive.
     *
     * @param longest bytes of the longest frame, CRC included
     */
    void apply(int longest) {
        // Default pool 0, no replication.
        registers.write(VT_CTL, 0);
        registers.write(RPLOLR, VMOLR_STRCRC);
        // No switching between pools inside the card, no tags of its own.
        registers.write(DTXSWC, 0);
        for (int p = 0; p < IgbModel.POOLS; p++) {
            registers.write(nth(VMVIR, p), 0);
            int vmolr = longest | VMOLR_LPE | VMOLR_STRCRC;
            if (p == 0) {
                vmolr |= VMOLR_AUPE | VMOLR_BAM | VMOLR_ROMPE | VMOLR_MPME;
                if (model.hasDvmolr()) {
                    vmolr |= VMOLR_VPE;
                }
            } else {
                vmolr |= VMOLR_STRVLAN;
            }
            registers.write(nth(VMOLR, p), vmolr);
            if (model.hasDvmolr()) {
                registers.write(queue(DVMOLR, p), VMOLR_STRCRC | (p == 0 ? 0 : VMOLR_STRVLAN));
            }
        }
        int enabled = (1 << pools) - 1;
        registers.write(VFRE, enabled);
        registers.write(VFTE, (1 << IgbModel.POOLS) - 1);
        registers.write(MRQC, MRQC_VMDQ);
    }
}
