package io.grantwire.pmd.driver.e1000e;

import io.grantwire.pmd.driver.pci.CardRegisters;
import java.util.Map;

/**
 * The card's own counters (section 10.2.7): 32 bits wide, or two registers, and zero after each
 * read; here they are added up. Any thread.
 */
final class E1000eStats {
    /** A counter; {@code high} is 0 when it has no upper half. */
    private record Counter(String name, int register, int high) {
        Counter(String name, int register) {
            this(name, register, 0);
        }
    }

    private static final Counter MISSED = new Counter("rx_missed_packets", 0x4010);

    /** Frames damaged on the wire: they are the port's receive errors. */
    private static final Counter[] DAMAGED = {
        new Counter("rx_crc_errors", 0x4000),
        new Counter("rx_align_errors", 0x4004),
        new Counter("rx_symbol_errors", 0x400C),
        new Counter("rx_length_errors", 0x4040),
        new Counter("rx_undersize_errors", 0x40A4),
        new Counter("rx_fragment_errors", 0x40A8),
        new Counter("rx_oversize_errors", 0x40AC),
        new Counter("rx_jabber_errors", 0x40B0),
    };

    /** Names as DPDK has them for this family. */
    private static final Counter[] OTHERS = {
        MISSED,
        new Counter("rx_no_buffers", 0x40A0),
        new Counter("tx_single_collision_packets", 0x4014),
        new Counter("tx_excessive_collision_packets", 0x4018),
        new Counter("tx_multiple_collision_packets", 0x401C),
        new Counter("tx_late_collisions", 0x4020),
        new Counter("tx_total_collisions", 0x4028),
        new Counter("tx_deferred_packets", 0x4030),
        new Counter("tx_no_carrier_sense_packets", 0x4034),
        new Counter("rx_xon_packets", 0x4048),
        new Counter("tx_xon_packets", 0x404C),
        new Counter("rx_xoff_packets", 0x4050),
        new Counter("tx_xoff_packets", 0x4054),
        new Counter("rx_hw_good_packets", 0x4074),
        new Counter("tx_hw_good_packets", 0x4080),
        new Counter("rx_hw_good_bytes", 0x4088, 0x408C),
        new Counter("tx_hw_good_bytes", 0x4090, 0x4094),
        new Counter("rx_broadcast_packets", 0x4078),
        new Counter("rx_multicast_packets", 0x407C),
        new Counter("tx_broadcast_packets", 0x40F4),
        new Counter("tx_multicast_packets", 0x40F0),
        new Counter("rx_total_bytes", 0x40C0, 0x40C4),
        new Counter("tx_total_bytes", 0x40C8, 0x40CC),
        new Counter("rx_total_packets", 0x40D0),
        new Counter("tx_total_packets", 0x40D4),
        new Counter("rx_size_64_packets", 0x405C),
        new Counter("rx_size_65_to_127_packets", 0x4060),
        new Counter("rx_size_128_to_255_packets", 0x4064),
        new Counter("rx_size_256_to_511_packets", 0x4068),
        new Counter("rx_size_512_to_1023_packets", 0x406C),
        new Counter("rx_size_1024_to_max_packets", 0x4070),
        new Counter("tx_size_64_packets", 0x40D8),
        new Counter("tx_size_65_to_127_packets", 0x40DC),
        new Counter("tx_size_128_to_255_packets", 0x40E0),
        new Counter("tx_size_256_to_511_packets", 0x40E4),
        new Counter("tx_size_512_to_1023_packets", 0x40E8),
        new Counter("tx_size_1024_to_max_packets", 0x40EC),
    };

    private final CardRegisters card;
    private final long[] damaged = new long[DAMAGED.length];
    private final long[] others = new long[OTHERS.length];

    E1000eStats(CardRegisters card) {
        this.card = card;
    }

    /** Takes over what the card has counted; before a reset, which would lose it. */
    synchronized void collect() {
        collect(DAMAGED, damaged);
        collect(OTHERS, others);
    }

    /** Reads the counters, and forgets them: what was counted before is nobody's. */
    synchronized void discard() {
        for (Counter c : DAMAGED) {
            read(c);
        }
        for (Counter c : OTHERS) {
            read(c);
        }
    }

    private void collect(Counter[] counters, long[] sums) {
        for (int i = 0; i < counters.length; i++) {
            sums[i] += read(counters[i]);
        }
    }

    private long read(Counter c) {
        // The upper half is read last: that is what clears both.
        long value = card.read(c.register()) & 0xFFFF_FFFFL;
        if (c.high() != 0) {
            value |= (long) card.read(c.high()) << 32;
        }
        return card.gone() ? 0 : value;
    }

    /** Adds the counters, and to the generic ones what belongs there. */
    synchronized void addTo(Map<String, Long> xstats) {
        long errors = 0;
        for (int i = 0; i < DAMAGED.length; i++) {
            xstats.put(DAMAGED[i].name(), damaged[i]);
            errors += damaged[i];
        }
        long missed = 0;
        for (int i = 0; i < OTHERS.length; i++) {
            xstats.put(OTHERS[i].name(), others[i]);
            missed += OTHERS[i] == MISSED ? others[i] : 0;
        }
        xstats.merge("rx_errors", errors, Long::sum);
        xstats.merge("rx_missed_errors", missed, Long::sum);
    }
}
