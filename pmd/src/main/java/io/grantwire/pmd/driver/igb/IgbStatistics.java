package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.RQDPC;
import static io.grantwire.pmd.driver.igb.IgbRegisters.RQDPC_MASK;
import static io.grantwire.pmd.driver.igb.IgbRegisters.queue;

import io.grantwire.pmd.driver.pci.CardRegisters;
import java.util.Arrays;
import java.util.Map;

/**
 * The card's own counters (82576 datasheet 8.19), which go back to zero when they are read: read
 * and added up here. Names are those of DPDK's igb. Bytes are without CRC.
 *
 * <p>Any thread.
 */
final class IgbStatistics {
    private static final int CRC = 4;

    private record Counter(String name, int register) {}

    private static final Counter[] COUNTERS = {
        new Counter("rx_crc_errors", 0x4000),
        new Counter("rx_align_errors", 0x4004),
        new Counter("rx_symbol_errors", 0x4008),
        new Counter("rx_error_packets", 0x400C),
        new Counter("rx_missed_packets", 0x4010),
        new Counter("tx_single_collision_packets", 0x4014),
        new Counter("tx_excessive_collision_packets", 0x4018),
        new Counter("tx_multiple_collision_packets", 0x401C),
        new Counter("tx_late_collisions", 0x4020),
        new Counter("tx_total_collisions", 0x4028),
        new Counter("tx_deferred_packets", 0x4030),
        new Counter("tx_no_carrier_sense_packets", 0x4034),
        new Counter("rx_length_errors", 0x4040),
        new Counter("rx_xon_packets", 0x4048),
        new Counter("tx_xon_packets", 0x404C),
        new Counter("rx_xoff_packets", 0x4050),
        new Counter("tx_xoff_packets", 0x4054),
        new Counter("rx_flow_control_unsupported_packets", 0x4058),
        new Counter("rx_size_64_packets", 0x405C),
        new Counter("rx_size_65_to_127_packets", 0x4060),
        new Counter("rx_size_128_to_255_packets", 0x4064),
        new Counter("rx_size_256_to_511_packets", 0x4068),
        new Counter("rx_size_512_to_1023_packets", 0x406C),
        new Counter("rx_size_1024_to_max_packets", 0x4070),
        new Counter("rx_broadcast_packets", 0x4078),
        new Counter("rx_multicast_packets", 0x407C),
        new Counter("rx_no_buffer_packets", 0x40A0),
        new Counter("rx_undersize_errors", 0x40A4),
        new Counter("rx_fragment_errors", 0x40A8),
        new Counter("rx_oversize_errors", 0x40AC),
        new Counter("rx_jabber_errors", 0x40B0),
        new Counter("rx_management_packets", 0x40B4),
        new Counter("rx_management_dropped", 0x40B8),
        new Counter("tx_management_packets", 0x40BC),
        new Counter("tx_size_64_packets", 0x40D8),
        new Counter("tx_size_65_to_127_packets", 0x40DC),
        new Counter("tx_size_128_to_255_packets", 0x40E0),
        new Counter("tx_size_256_to_511_packets", 0x40E4),
        new Counter("tx_size_512_to_1023_packets", 0x40E8),
        new Counter("tx_size_1024_to_max_packets", 0x40EC),
        new Counter("tx_multicast_packets", 0x40F0),
        new Counter("tx_broadcast_packets", 0x40F4),
        new Counter("interrupt_assert_count", 0x4100),
    };

    /** Packets and bytes that belong together: the bytes have a CRC for each packet in them. */
    private enum Volume {
        RX_GOOD("rx_mac_good", 0x4074, 0x4088),
        TX_GOOD("tx_mac_good", 0x4080, 0x4090),
        RX_TOTAL("rx_total", 0x40D0, 0x40C0),
        TX_TOTAL("tx_total", 0x40D4, 0x40C8);

        final String name;
        final int packetsRegister;

        /** The lower half; reading the upper one, 4 bytes further, clears both. */
        final int bytesRegister;

        Volume(String name, int packetsRegister, int bytesRegister) {
            this.name = name;
            this.packetsRegister = packetsRegister;
            this.bytesRegister = bytesRegister;
        }
    }

    private final CardRegisters registers;
    private final int queues;
    private final long[] sums = new long[COUNTERS.length];
    private final long[] packets = new long[Volume.values().length];
    private final long[] bytes = new long[Volume.values().length];
    private long dropped;

    /**
     * @param queues receive queues of the card
     */
    IgbStatistics(CardRegisters registers, int queues) {
        this.registers = registers;
        this.queues = queues;
    }

    /** Reads the counters; before a reset takes them away, too. */
    synchronized void accumulate() {
        for (int i = 0; i < COUNTERS.length; i++) {
            sums[i] += read(COUNTERS[i].register());
        }
        for (Volume v : Volume.values()) {
            // Octets first: a frame that comes in between is then short of bytes for a moment,
            // instead of having them forever.
            long octets = read(v.bytesRegister);
            octets |= read(v.bytesRegister + 4) << 32;
            packets[v.ordinal()] += read(v.packetsRegister);
            bytes[v.ordinal()] += octets;
        }
        for (int q = 0; q < queues; q++) {
            dropped += read(queue(RQDPC, q)) & RQDPC_MASK;
        }
    }

    private long read(int register) {
        int value = registers.read(register);
        return registers.gone() ? 0 : value & 0xffff_ffffL;
    }

    /** Forgets what was counted before the driver came. */
    synchronized void clear() {
        accumulate();
        Arrays.fill(sums, 0);
        Arrays.fill(packets, 0);
        Arrays.fill(bytes, 0);
        dropped = 0;
    }

    /** Adds the counters, and their part in the generic ones. */
    synchronized void addTo(Map<String, Long> xstats) {
        accumulate();
        for (int i = 0; i < COUNTERS.length; i++) {
            xstats.put(COUNTERS[i].name(), sums[i]);
        }
        for (Volume v : Volume.values()) {
            long n = packets[v.ordinal()];
            xstats.put(v.name + "_packets", n);
            xstats.put(v.name + "_bytes", Math.max(0, bytes[v.ordinal()] - n * CRC));
        }
        xstats.put("rx_descriptor_dropped_packets", dropped);
        xstats.merge("rx_missed_errors", xstats.get("rx_missed_packets") + dropped, Long::sum);
        xstats.merge(
                "rx_errors",
                xstats.get("rx_crc_errors")
                        + xstats.get("rx_align_errors")
                        + xstats.get("rx_error_packets")
                        + xstats.get("rx_length_errors"),
                Long::sum);
    }
}
