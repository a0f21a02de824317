package io.grantwire.vswitch;

import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The counters of one direction of a port at one moment.
 *
 * @param total frames offered: successful and dropped
 * @param dropped frames lost
 * @param successful frames that went where they should
 * @param bytes of the successful frames, without CRC
 * @param drops frames lost by reason, without those that are zero
 */
public record DirectionStats(
        long total, long dropped, long successful, long bytes, Map<String, Long> drops) {

    /** The sum of some counters. */
    static DirectionStats of(FrameCounters... counters) {
        long frames = 0;
        long bytes = 0;
        long dropped = 0;
        Map<String, Long> drops = new LinkedHashMap<>();
        for (FrameCounters c : counters) {
            frames += c.frames();
            bytes += c.bytes();
            for (DropReason reason : DropReason.values()) {
                long n = c.dropped(reason);
                if (n != 0) {
                    drops.merge(reason.key(), n, Long::sum);
                    dropped += n;
                }
            }
        }
        return new DirectionStats(frames + dropped, dropped, frames, bytes, drops);
    }
}
