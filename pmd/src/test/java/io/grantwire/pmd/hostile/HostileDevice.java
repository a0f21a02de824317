package io.grantwire.pmd.hostile;

import io.grantwire.pmd.virtio.SimulatedDevice;
import io.grantwire.pmd.virtio.SplitRingLayout;
import java.lang.foreign.MemorySegment;

/**
 * A back end that lies to a front end (XSA-391, XSA-396, XSA-403). The ring is one that a driver
 * has posted buffers on, and the device has used none of them.
 */
public final class HostileDevice {
    /** What it can write into a used ring, and the fault that the driver names. */
    public enum Attack {
        /** More buffers come back than were posted. */
        INDEX_JUMPS_AHEAD("USED_INDEX") {
            @Override
            void on(SimulatedDevice device, SplitRingLayout layout, int head, int room) {
                device.jump(layout.size() + 1);
            }
        },

        /** The index goes backwards. */
        INDEX_GOES_BACK("USED_INDEX") {
            @Override
            void on(SimulatedDevice device, SplitRingLayout layout, int head, int room) {
                device.jump(-1);
            }
        },

        /** The first number that is no descriptor. */
        ID_JUST_BEYOND("USED_ID") {
            @Override
            void on(SimulatedDevice device, SplitRingLayout layout, int head, int room) {
                device.complete(layout.size(), 60);
            }
        },

        /** A number that is negative to whoever takes it for an int. */
        ID_NEGATIVE("USED_ID") {
            @Override
            void on(SimulatedDevice device, SplitRingLayout layout, int head, int room) {
                device.complete(-1, 60);
            }
        },

        /** A buffer comes back twice. */
        SAME_BUFFER_TWICE("NOT_OUTSTANDING") {
            @Override
            void on(SimulatedDevice device, SplitRingLayout layout, int head, int room) {
                device.put(head, Math.min(room, 60));
                device.complete(head, Math.min(room, 60));
            }
        };

        private final String fault;

        Attack(String fault) {
            this.fault = fault;
        }

        /** The driver's name for it. */
        public String fault() {
            return fault;
        }

        abstract void on(SimulatedDevice device, SplitRingLayout layout, int head, int room);
    }

    private final SimulatedDevice device;
    private final MemorySegment ring;
    private final SplitRingLayout layout;

    /** A device on a driver's ring. */
    public HostileDevice(MemorySegment ring, SplitRingLayout layout) {
        this.device = new SimulatedDevice(ring, layout);
        this.ring = ring;
        this.layout = layout;
    }

    /** The honest part of it. */
    public SimulatedDevice honest() {
        return device;
    }

    /** Uses one buffer as {@code attack} says. */
    public void attack(Attack attack) {
        int head = device.next();
        attack.on(device, layout, head, device.desc(head).len());
    }

    /** Says that it wrote more than the buffer holds; receive rings. */
    public void claimLength(int length) {
        device.complete(device.next(), length);
    }

    /** Writes the whole used ring and the index, whatever they are. */
    public void scribble(java.util.SplittableRandom random) {
        for (long at = layout.used(); at < layout.bytes(); at++) {
            ring.set(
                    java.lang.foreign.ValueLayout.JAVA_BYTE,
                    at,
                    (byte) (random.nextInt(4) == 0 ? random.nextInt() : 0));
        }
    }
}
