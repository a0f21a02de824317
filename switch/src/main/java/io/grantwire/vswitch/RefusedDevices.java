package io.grantwire.vswitch;

import io.grantwire.vswitch.SwitchStats.RefusedStats;
import io.grantwire.vswitch.ring.RejectReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The devices that guests ask for and that are not served, each with the last reason. Bounded: when
 * guests ask for too many, the oldest are forgotten. One thread at a time.
 */
final class RefusedDevices {
    /** Most that are remembered. */
    static final int MAX = 256;

    private record Key(int domid, int index) {}

    private final Map<Key, RefusedStats> refused = new LinkedHashMap<>();

    void put(int domid, int index, RejectReason reason, String text) {
        Key key = new Key(domid, index);
        refused.remove(key);
        refused.put(key, new RefusedStats(domid, index, reason.key(), text));
        if (refused.size() > MAX) {
            refused.remove(refused.keySet().iterator().next());
        }
    }

    void remove(int domid, int index) {
        refused.remove(new Key(domid, index));
    }

    List<RefusedStats> stats() {
        return new ArrayList<>(refused.values());
    }
}
