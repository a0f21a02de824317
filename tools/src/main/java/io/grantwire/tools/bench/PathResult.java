package io.grantwire.tools.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one measurement of the packet path found.
 *
 * @param pathCase which way
 * @param size of the frames
 * @param mpps millions of frames a second that went all the way, in each second that counted
 * @param cyclesPerPacket between two frames, at the median rate
 * @param busyCyclesPerPacket of the back end's rounds that found work; 0 when not looked at
 * @param allocBytesPerPacket bytes that the polling threads of both processes allocated, per frame
 * @param hostGapNanos longest time between two rounds of the back end's polling; 0 when not looked
 *     at
 * @param guestGapNanos the same of the guest's
 * @param hostResident bytes of memory of the back end's process
 * @param guestResident bytes of memory of the guests' process
 */
public record PathResult(
        PathCase pathCase,
        FrameSizes size,
        Spread mpps,
        double cyclesPerPacket,
        double busyCyclesPerPacket,
        double allocBytesPerPacket,
        long hostGapNanos,
        long guestGapNanos,
        long hostResident,
        long guestResident) {

    /** As a row of a report. */
    public Map<String, Object> row() {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("case", pathCase.key());
        row.put("size", size.json());
        row.put("mpps", rounded(mpps.median()));
        row.put("mpps_min", rounded(mpps.min()));
        row.put("mpps_max", rounded(mpps.max()));
        row.put("gbps", rounded(mpps.median() * size.mean() * 8 / 1e3));
        row.put("cycles_per_packet", rounded(cyclesPerPacket));
        row.put("alloc_bytes_per_packet", Math.round(allocBytesPerPacket * 1e6) / 1e6);
        row.put("seconds", mpps.count());
        row.put("resident_mib_switch", hostResident >> 20);
        row.put("resident_mib_guest", guestResident >> 20);
        return row;
    }

    static double rounded(double value) {
        return Math.round(value * 1e6) / 1e6;
    }
}
