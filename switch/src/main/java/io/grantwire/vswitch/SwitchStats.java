package io.grantwire.vswitch;

import java.util.List;
import java.util.Map;

/**
 * What a switch has counted, at one moment: a tree of records, ready to be written as JSON.
 *
 * @param uptimeMillis since the switch started
 * @param devices the guests' devices, by number
 * @param uplinks the uplinks, in order
 * @param workers the workers, in order
 * @param refused devices that guests ask for and that are not served
 * @param rejects how many devices were quarantined or refused, by rule broken, since the start
 * @param mbufsInUse buffers of the switch in use, of which some are in reserve for quick use
 */
public record SwitchStats(
        long uptimeMillis,
        List<DeviceStats> devices,
        List<UplinkStats> uplinks,
        List<WorkerStats> workers,
        List<RefusedStats> refused,
        Map<String, Long> rejects,
        int mbufsInUse) {

    /**
     * A guest's device. Directions are the guest's: TX is what it sent.
     *
     * @param number in this switch; its VLAN is 1000 more
     * @param domid the guest
     * @param index the device's number in the guest
     * @param mac its address
     * @param vlan its VLAN
     * @param lcore the lcore that serves it
     * @param state {@code ready} or {@code quarantined}
     * @param reject the rule that it broke, a name of {@link
     *     io.grantwire.vswitch.ring.RejectReason}; null while it is ready, or when the switch
     *     failed
     * @param fault why it is quarantined, in words, else null
     * @param registered whether it gets frames: the first device with an address does
     * @param pools the VMDq pool that it has of each uplink, in order; 0 where its frames are
     *     sorted in software
     * @param tx frames from the guest
     * @param rx frames to the guest
     */
    public record DeviceStats(
            int number,
            int domid,
            int index,
            String mac,
            int vlan,
            int lcore,
            String state,
            String reject,
            String fault,
            boolean registered,
            List<Integer> pools,
            DirectionStats tx,
            DirectionStats rx) {}

    /**
     * A device that is not served.
     *
     * @param domid the guest
     * @param index the device's number in the guest
     * @param reject the rule that it breaks
     * @param text which key or limit, and what is wrong
     */
    public record RefusedStats(int domid, int index, String reject, String text) {}

    /**
     * An uplink.
     *
     * @param spec as the user wrote it
     * @param driver its driver
     * @param mac its address
     * @param failed whether its driver failed or it has gone, so that it is not used any more
     * @param pools VMDq pools that the card sorts into, 0 when software does it
     * @param fromWire frames from the wire; successful are those for a device
     * @param toWire frames to the wire
     */
    public record UplinkStats(
            String spec,
            String driver,
            String mac,
            boolean failed,
            int pools,
            DirectionStats fromWire,
            DirectionStats toWire) {}

    /**
     * A worker.
     *
     * @param lcore its lcore
     * @param running whether its thread runs
     * @param devices how many devices it serves
     * @param lost frames lost between ports, by reason
     */
    public record WorkerStats(int lcore, boolean running, int devices, Map<String, Long> lost) {}
}
