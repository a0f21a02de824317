package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.net.MacAddress;
import java.util.List;

/**
 * Which frames the card receives, and with pools into which queue: addresses, VLANs, pools, group
 * frames, promiscuous mode. Checks what is asked for, keeps it, and tells the card while it runs;
 * {@link #apply} tells it all after a reset.
 *
 * <p>Control path, one thread, while others poll.
 */
final class IgbFilters {
    static final int VLANS = 4096;

    private final CardRegisters registers;
    private final IgbModel model;
    private final IgbFailures failures;
    private final IgbAddresses addresses;
    private final IgbVlans vlans;
    private final IgbVmdq vmdq;
    private boolean promiscuous;
    private boolean allMulticast;

    /** Whether the card runs. */
    private boolean live;

    IgbFilters(CardRegisters registers, IgbModel model, MacAddress own, IgbFailures failures) {
        this.registers = registers;
        this.model = model;
        this.failures = failures;
        this.addresses = new IgbAddresses(registers, model.addresses(), own);
        this.vlans = new IgbVlans(registers);
        this.vmdq = new IgbVmdq(registers, model, addresses, vlans);
    }

    /**
     * Chooses what there is; what pools were assigned is forgotten.
     *
     * @param pools 0 for none
     * @param vlanFilter whether only listed VLANs are received
     */
    void configure(int pools, boolean vlanFilter) {
        // Before the VLANs, which forget the pools' entries.
        vmdq.configure(pools);
        vlans.configure(vlanFilter, pools > 0);
    }

    /** Whether there are pools. */
    boolean hasPools() {
        return vmdq.on();
    }

    /**
     * Tells the card all, after a reset; {@link #receive} is next.
     *
     * @param longest bytes of the longest frame, CRC included
     */
    void apply(int longest) {
        for (int i = 0; i < UTA_REGISTERS; i++) {
            registers.write(nth(UTA, i), 0);
        }
        addresses.apply();
        vlans.apply();
        applyMulticast();
        registers.write(RLPML, longest);
        if (vmdq.on()) {
            vmdq.apply(longest);
        }
    }

    /** Turns the receive unit on. */
    void receive() {
        live = true;
        applyReceiveControl();
    }

    /** The card has been reset. */
    void stopped() {
        live = false;
    }

    private void applyReceiveControl() {
        int rctl = RCTL_RXEN | RCTL_LPE | RCTL_BAM | RCTL_SECRC;
        if (promiscuous || vmdq.on()) {
            // With pools, pool 0 gets what is no other's.
            rctl |= RCTL_UPE | RCTL_MPE;
        }
        if (allMulticast) {
            rctl |= RCTL_MPE;
        }
        if (vlans.enabled()) {
            rctl |= RCTL_VFE;
        }
        registers.write(RCTL, rctl);
    }

    /** All multicasts or none. */
    private void applyMulticast() {
        int bits = vmdq.on() || allMulticast ? -1 : 0;
        for (int i = 0; i < MTA_REGISTERS; i++) {
            registers.write(nth(MTA, i), bits);
        }
    }

    void setPromiscuous(boolean on) {
        promiscuous = on;
        if (live) {
            applyReceiveControl();
        }
    }

    void setAllMulticast(boolean on) {
        allMulticast = on;
        if (live) {
            applyReceiveControl();
            applyMulticast();
        }
    }

    // Addresses.

    List<MacAddress> macAddresses() {
        return addresses.wanted();
    }

    void addMacAddress(MacAddress address) {
        String what = "add " + address;
        checkUnicast(what, address);
        if (!addresses.hasRoom(address)) {
            throw failures.of(
                    what, "ENOSPC", "all " + model.addresses() + " address filters are in use");
        }
        addresses.add(address, live);
    }

    void removeMacAddress(MacAddress address, MacAddress own) {
        String what = "remove " + address;
        if (address.equals(own)) {
            throw failures.of(what, "EADDRINUSE", "it is the device's own");
        }
        if (!addresses.remove(address, live)) {
            throw failures.of(what, "ENOENT", "it was not added");
        }
    }

    void changeMacAddress(MacAddress address) {
        checkUnicast("address " + address, address);
        addresses.setOwn(address, live);
    }

    private void checkUnicast(String what, MacAddress address) {
        if (!address.isValidUnicast()) {
            throw failures.of(what, "EINVAL", "it is not the address of one station");
        }
    }

    // VLANs.

    void setVlanFilter(int vlan, boolean on) {
        String what = "VLAN " + vlan;
        if (vlan < 0 || vlan >= VLANS) {
            throw failures.of(what, "EINVAL", "VLANs are 0 to " + (VLANS - 1));
        }
        if (!vlans.enabled()) {
            throw failures.of(what, "EINVAL", "it is not configured with RX_VLAN_FILTER");
        }
        if (on && !vlans.hasRoom(vlan)) {
            throw failures.of(what, "ENOSPC", "all " + VLVF_COUNT + " VLAN filters are in use");
        }
        vlans.list(vlan, on, live);
    }

    // Pools.

    void assign(int pool, MacAddress address, int vlan) {
        String what = "VMDq pool " + pool;
        checkPool(what, pool);
        checkUnicast(what + ": " + address, address);
        if (vlan < 1 || vlan > VLANS - 2) {
            throw failures.of(what, "EINVAL", "there is no VLAN " + vlan);
        }
        if (vmdq.isInOtherVlan(pool, vlan)) {
            throw failures.of(what, "EINVAL", "a pool has one VLAN; release it first");
        }
        int owner = vmdq.owner(address, vlan);
        if (owner > 0 && owner != pool) {
            throw failures.of(
                    what, "EEXIST", address + " in VLAN " + vlan + " is pool " + owner + "'s");
        }
        if (!addresses.hasRoom(address)) {
            throw failures.of(
                    what, "ENOSPC", "all " + model.addresses() + " address filters are in use");
        }
        if (!vlans.hasRoom(vlan)) {
            throw failures.of(what, "ENOSPC", "all " + VLVF_COUNT + " VLAN filters are in use");
        }
        vmdq.assign(pool, address, vlan, live);
    }

    void release(int pool) {
        checkPool("VMDq pool " + pool, pool);
        vmdq.release(pool, live);
    }

    private void checkPool(String what, int pool) {
        if (!vmdq.on()) {
            throw failures.of(what, "ENOTSUP", "it is not configured with VMDq pools");
        }
        if (pool < 1 || pool >= vmdq.pools()) {
            throw failures.of(what, "EINVAL", "pools are 1 to " + (vmdq.pools() - 1));
        }
    }
}
