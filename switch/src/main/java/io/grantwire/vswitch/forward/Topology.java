package io.grantwire.vswitch.forward;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who is where, at one moment: the devices, which worker serves which, and whose address is whose.
 * Immutable. A change makes a new one, which every worker adopts between two rounds; when all have
 * adopted it, nobody touches a device that is only in older ones.
 *
 * <p>Frames under way to a device carry its token: its number in the low {@link #NUMBER_BITS} bits,
 * a serial number above. A token whose device is gone finds nobody, even when the number is in use
 * again. Negative tokens are uplinks.
 */
public final class Topology {
    /** Bits of a token that are the device's number. */
    public static final int NUMBER_BITS = 12;

    /** Most devices of a switch: VLANs 1000 to 4094. */
    public static final int MAX_DEVICES = 3095;

    static final int NUMBER_MASK = (1 << NUMBER_BITS) - 1;

    final long epoch;
    final MacTable macs;

    /** Devices by number; holes are null. At least one element. */
    final GuestDevice[] devices;

    /** The devices of each worker. */
    final GuestDevice[][] served;

    /** The pools of each worker's devices. */
    final PoolFeed[][] feeds;

    /** Whether the uplinks are read. */
    final boolean uplinksOpen;

    private Topology(
            long epoch,
            MacTable macs,
            GuestDevice[] devices,
            GuestDevice[][] served,
            PoolFeed[][] feeds,
            boolean uplinksOpen) {
        this.epoch = epoch;
        this.feeds = feeds;
        this.uplinksOpen = uplinksOpen;
        this.macs = macs;
        this.devices = devices;
        this.served = served;
    }

    /**
     * @param epoch greater than that of every earlier topology of the switch
     * @param workers number of workers
     * @param devices all devices
     * @param owners devices by address, for those that get frames
     * @param feeds pools of those devices
     * @param uplinksOpen whether the uplinks are read
     */
    public static Topology of(
            long epoch,
            int workers,
            Collection<GuestDevice> devices,
            Map<Long, GuestDevice> owners,
            Collection<PoolFeed> feeds,
            boolean uplinksOpen) {
        int most = 0;
        List<List<GuestDevice>> served = new ArrayList<>();
        for (int w = 0; w < workers; w++) {
            served.add(new ArrayList<>());
        }
        for (GuestDevice d : devices) {
            most = Math.max(most, d.number());
            served.get(d.worker()).add(d);
        }
        GuestDevice[] byNumber = new GuestDevice[most + 1];
        for (GuestDevice d : devices) {
            byNumber[d.number()] = d;
        }
        Map<Long, Integer> macs = new HashMap<>();
        owners.forEach((mac, d) -> macs.put(mac, d.number()));
        GuestDevice[][] lists = new GuestDevice[workers][];
        PoolFeed[][] feedLists = new PoolFeed[workers][];
        for (int w = 0; w < workers; w++) {
            int worker = w;
            lists[w] = served.get(w).toArray(GuestDevice[]::new);
            feedLists[w] =
                    feeds.stream().filter(f -> f.device.worker == worker).toArray(PoolFeed[]::new);
        }
        return new Topology(epoch, MacTable.of(macs), byNumber, lists, feedLists, uplinksOpen);
    }

    /** The token of a device. */
    public static int token(int serial, int number) {
        return serial << NUMBER_BITS & Integer.MAX_VALUE | number;
    }

    /** The device that a token names, or null when it is gone. */
    GuestDevice byToken(int token) {
        int number = token & NUMBER_MASK;
        GuestDevice d = number < devices.length ? devices[number] : null;
        return d != null && d.token == token ? d : null;
    }
}
