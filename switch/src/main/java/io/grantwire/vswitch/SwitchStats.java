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
 * @param rejects how many ports were quarantined, by rule broken; those gone since count too
 * @param mbufsInUse buffers of the switch in use, of which some are in reserve for quick use
 */
public record SwitchStats(
        long uptimeMillis,
        List<DeviceStats> devices,
        List<UplinkStats> uplinks,
        List<WorkerStats> workers,
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
     * @param fault why it is quarantined, else null
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
            String fault,
            boolean registered,
            List<Integer> pools,
            DirectionStats tx,
            DirectionStats rx) {}

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
