package io.grantwire.vswitch.monitor;

import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.virtio.SplitRingLayout;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.vswitch.ring.DeviceRing;
import io.grantwire.vswitch.ring.GuestMemory;
import io.grantwire.vswitch.ring.RejectReason;
import java.util.ArrayList;
import java.util.List;

/**
 * One device of a guest with its pages mapped: rings, flag page, pools. Made and unmapped by the
 * {@link GuestMonitor}; in between it is a {@link PortHandler}'s.
 */
public final class GuestPort {
    private static final SplitRingLayout LAYOUT = SplitRingLayout.of(SplitRingLayout.DEFAULT_SIZE);

    private final int domid;
    private final int index;
    private final String base;
    private final List<String> values;
    private final GuestPools owner;

    private String guestName;
    private long mac;
    private GrantMapping rx;
    private GrantMapping tx;
    private GrantMapping flag;
    private List<GuestPool> pools = List.of();
    private GuestMemory memory;

    private GuestPort(int domid, int index, String base, List<String> values, GuestPools owner) {
        this.domid = domid;
        this.index = index;
        this.base = base;
        this.values = values;
        this.owner = owner;
    }

    /**
     * Reads a device's keys and maps what they name, in the original's order.
     *
     * @throws PortException when something is not as it should be; nothing stays mapped then
     */
    static GuestPort open(GuestKeys keys, int domid, int index, String base, GuestPools pools) {
        GuestPort port = new GuestPort(domid, index, base, values(keys, index), pools);
        try {
            String rxKey = XenvirtKeys.rxVringGref(index);
            String txKey = XenvirtKeys.txVringGref(index);
            String macKey = XenvirtKeys.etherAddr(index);
            String flagKey = XenvirtKeys.vringFlag(index);
            int[] rxPages = ringPages(keys, rxKey);
            int[] txPages = ringPages(keys, txKey);
            port.guestName = keys.guestName();
            port.mac = keys.value(macKey, XenvirtKeys::parseMac);
            if (port.mac == 0 || (port.mac & MacAddress.GROUP_BIT) != 0) {
                throw new PortException(
                        RejectReason.MAC_INVALID,
                        keys.path(macKey)
                                + ": "
                                + XenvirtKeys.formatMac(port.mac)
                                + " is no station's address");
            }
            port.rx = keys.map(rxKey, rxPages, true);
            port.tx = keys.map(txKey, txPages, true);
            int flagPage = keys.value(flagKey, XenvirtKeys::parseGref);
            port.flag = keys.map(flagKey, new int[] {flagPage}, true);
            if (!FlagPage.isLive(port.flag.segment())) {
                throw new PortException(
                        RejectReason.FLAG_DOWN,
                        keys.path(flagKey) + ": the flag byte is zero, the front end is gone");
            }
            port.pools = pools.acquire(keys);
            port.memory = GuestPools.memory(port.pools);
            return port;
        } catch (RuntimeException e) {
            port.unmap();
            throw e;
        }
    }

    private static int[] ringPages(GuestKeys keys, String key) {
        int[] grefs = keys.region(key);
        if (grefs.length < LAYOUT.pages()) {
            throw new PortException(
                    RejectReason.RING_TOO_SMALL,
                    keys.path(key)
                            + ": a ring of "
                            + grefs.length
                            + " pages, it needs "
                            + LAYOUT.pages());
        }
        int[] pages = new int[LAYOUT.pages()];
        System.arraycopy(grefs, 0, pages, 0, pages.length);
        return pages;
    }

    /** What the device's keys say now; null for one that is missing. */
    static List<String> values(GuestKeys keys, int index) {
        List<String> values = new ArrayList<>();
        values.add(keys.text(XenvirtKeys.rxVringGref(index)));
        values.add(keys.text(XenvirtKeys.txVringGref(index)));
        values.add(keys.text(XenvirtKeys.etherAddr(index)));
        values.add(keys.text(XenvirtKeys.vringFlag(index)));
        return values;
    }

    /** Whether these keys are the ones that this port was made from. */
    boolean madeFrom(String base, List<String> values) {
        return this.base.equals(base) && this.values.equals(values);
    }

    String base() {
        return base;
    }

    /** The guest. */
    public int domid() {
        return domid;
    }

    /** The device's number in the guest. */
    public int index() {
        return index;
    }

    /** The guest's name, as the toolstack wrote it into the store; null for none. */
    public String guestName() {
        return guestName;
    }

    /** Its address, first octet in bits 47 to 40. */
    public long mac() {
        return mac;
    }

    /** Where in the store its address is. */
    public String macPath() {
        return base + "/" + XenvirtKeys.etherAddr(index);
    }

    /** Whether the front end lives. */
    public boolean isLive() {
        return FlagPage.isLive(flag.segment());
    }

    /** Opens the receive ring where its last user stopped; one user at a time. */
    public DeviceRing openReceive() {
        return DeviceRing.receive(rx.segment(), LAYOUT, memory);
    }

    /** Opens the transmit ring where its last user stopped; one user at a time. */
    public DeviceRing openTransmit() {
        return DeviceRing.transmit(tx.segment(), LAYOUT, memory);
    }

    /** Tells the front end that it is served. */
    void announce() {
        FlagPage.attach(flag.segment());
    }

    /** Tells the front end that nobody touches its pages any more, and unmaps them. */
    void release() {
        FlagPage.detach(flag.segment());
        unmap();
    }

    private void unmap() {
        owner.release(pools);
        pools = List.of();
        for (GrantMapping mapping : new GrantMapping[] {flag, tx, rx}) {
            if (mapping != null) {
                mapping.close();
            }
        }
        flag = null;
        tx = null;
        rx = null;
    }

    /** {@code (domid, index)}, as the original's log lines name a device. */
    @Override
    public String toString() {
        return "(" + domid + ", " + index + ")";
    }
}
