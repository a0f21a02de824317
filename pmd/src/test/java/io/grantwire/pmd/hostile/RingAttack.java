package io.grantwire.pmd.hostile;

import static io.grantwire.pmd.virtio.SplitRingLayout.F_INDIRECT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_NEXT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_WRITE;

/**
 * What a hostile front end can write into a ring of 256 entries, each with the rule of the device's
 * rule book that it breaks. The ring must be idle: everything offered so far has been used.
 */
public enum RingAttack {
    /** More entries than the ring has. */
    INDEX_JUMPS_AHEAD(Ring.TX, "avail_idx_jump") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.availIdx(ring.availIdx() + 257);
        }
    },

    /** Entries that were offered are taken back. */
    INDEX_GOES_BACK(Ring.TX, "avail_idx_jump") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.availIdx(ring.availIdx() - 1);
        }
    },

    /** The same on the ring that the device writes. */
    RECEIVE_INDEX_JUMPS(Ring.RX, "avail_idx_jump") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.availIdx(ring.availIdx() + 0x8000);
        }
    },

    /** The first number that is no descriptor. */
    HEAD_JUST_BEYOND(Ring.TX, "head_out_of_range") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.offer(256);
        }
    },

    /** The largest number. */
    HEAD_FAR_BEYOND(Ring.RX, "head_out_of_range") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.offer(0xffff);
        }
    },

    /** A chain that leaves the table. */
    NEXT_BEYOND(Ring.TX, "next_out_of_range") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 10, F_NEXT, 256);
            ring.offer(0);
        }
    },

    /** The original's end-of-list mark, with the flag that says to follow it. */
    NEXT_IS_END_MARK(Ring.RX, "next_out_of_range") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(255, va, 100, F_WRITE | F_NEXT, 0x8000);
            ring.offer(255);
        }
    },

    /** A descriptor that points at itself, empty, so that no byte count ends the walk. */
    LOOP_OF_ONE(Ring.TX, "chain_loop") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(5, va, 0, F_NEXT, 5);
            ring.offer(5);
        }
    },

    /** Every descriptor of the table, round and round. */
    LOOP_OF_ALL(Ring.RX, "chain_loop") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            for (int i = 0; i < 256; i++) {
                ring.desc(i, va, 1, F_WRITE | F_NEXT, i + 1 & 255);
            }
            ring.offer(17);
        }
    },

    /** A descriptor that says that there is a table behind it. */
    INDIRECT_TABLE(Ring.TX, "indirect") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 4096, F_INDIRECT, 0);
            ring.offer(0);
        }
    },

    /** A receive buffer that is for reading. */
    RECEIVE_NOT_WRITABLE(Ring.RX, "not_writable") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 2048, 0, 0);
            ring.offer(0);
        }
    },

    /** A transmit buffer that is for writing. */
    TRANSMIT_WRITABLE(Ring.TX, "not_readable") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, 0, 10, F_NEXT, 1);
            ring.desc(1, va, 60, F_WRITE, 0);
            ring.offer(0);
        }
    },

    /** A header and no frame. */
    HEADER_ALONE(Ring.TX, "chain_too_short") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 10, 0, 0);
            ring.offer(0);
        }
    },

    /** Less than a header. */
    HALF_A_HEADER(Ring.TX, "chain_too_short") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, 0, 3, F_NEXT, 1);
            ring.desc(1, va, 2, 0, 0);
            ring.offer(0);
        }
    },

    /** Nothing at all (XSA-448). */
    NOTHING_BUT_ZERO_LENGTHS(Ring.TX, "chain_too_short") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 0, F_NEXT, 1);
            ring.desc(1, va, 0, 0, 0);
            ring.offer(0);
        }
    },

    /** A receive buffer with room for the header only. */
    RECEIVE_WITHOUT_ROOM(Ring.RX, "chain_too_short") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 10, F_WRITE, 0);
            ring.offer(0);
        }
    },

    /** A length that is negative to whoever takes it for an int. */
    LENGTH_OF_ALL_ONES(Ring.RX, "chain_too_long") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, -1, F_WRITE, 0);
            ring.offer(0);
        }
    },

    /** Lengths that wrap around 32 bits when they are added up. */
    LENGTHS_THAT_WRAP(Ring.TX, "chain_too_long") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 60, F_NEXT, 1);
            ring.desc(1, va, -50, 0, 0);
            ring.offer(0);
        }
    },

    /** Good buffers, but more of them than anybody sends. */
    LENGTHS_THAT_ADD_UP(Ring.TX, "chain_too_long") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            for (int i = 0; i < 255; i++) {
                ring.desc(i, va, (int) Math.min(bytes, 65536), F_NEXT, i + 1);
            }
            ring.desc(255, va, 60, 0, 0);
            ring.offer(0);
        }
    },

    /** The address that the original's translation gave for "not found". */
    ADDRESS_ZERO(Ring.RX, "address_unknown") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, 0, 2048, F_WRITE, 0);
            ring.offer(0);
        }
    },

    /** The byte before the pool. */
    ADDRESS_JUST_BELOW(Ring.TX, "address_unknown") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, 0, 10, F_NEXT, 1);
            ring.desc(1, va - 1, 60, 0, 0);
            ring.offer(0);
        }
    },

    /** The original took the end of a pool for a part of it. */
    ADDRESS_AT_THE_END(Ring.TX, "address_unknown") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, 0, 10, F_NEXT, 1);
            ring.desc(1, va + bytes, 60, 0, 0);
            ring.offer(0);
        }
    },

    /** An address whose buffer wraps around 64 bits. */
    ADDRESS_THAT_WRAPS(Ring.RX, "address_unknown") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, -16, 2048, F_WRITE, 0);
            ring.offer(0);
        }
    },

    /** All but the last byte inside. */
    ONE_BYTE_TOO_FAR(Ring.RX, "address_overrun") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va + bytes - 2048, 2049, F_WRITE, 0);
            ring.offer(0);
        }
    },

    /** A good first buffer and a bad one behind it. */
    SECOND_BUFFER_TOO_FAR(Ring.TX, "address_overrun") {
        @Override
        public void on(RawRing ring, long va, long bytes) {
            ring.desc(0, va, 70, F_NEXT, 1);
            ring.desc(1, va + bytes - 1, 2, 0, 0);
            ring.offer(0);
        }
    };

    /** Which of a device's rings. */
    public enum Ring {
        /** The one that the device writes. */
        RX,
        /** The one that the device reads. */
        TX
    }

    private final Ring ring;
    private final String rule;

    RingAttack(Ring ring, String rule) {
        this.ring = ring;
        this.rule = rule;
    }

    /** Which ring it is for. */
    public Ring ring() {
        return ring;
    }

    /** The rule that it breaks, as reports name it. */
    public String rule() {
        return rule;
    }

    /**
     * Writes it.
     *
     * @param va where the guest's pool begins, in its terms
     * @param bytes of that pool
     */
    public abstract void on(RawRing ring, long va, long bytes);
}
