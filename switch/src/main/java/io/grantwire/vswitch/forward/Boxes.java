package io.grantwire.vswitch.forward;

import io.grantwire.pmd.mbuf.Mbuf;

/**
 * Frames of a burst, sorted by the device that they are for. Devices come in the order of their
 * first frames, and each one's frames in the order in which they came.
 *
 * <p>Lists in a few arrays, and not an array for each device: with a frame or two for each of many
 * devices, what is touched stays in the first-level cache. Only the worker's own thread.
 */
final class Boxes {
    private static final int NONE = -1;

    // By device number: its first and last frame.
    private final int[] heads;
    private final int[] tails;

    // By frame: the mbuf, and the next frame for the same device.
    private final int[] mbufs;
    private final int[] nexts;
    private final int[] numbers;
    private int frames;
    private int devices;

    /**
     * @param numbers device numbers are below this
     * @param frames most frames at once
     */
    Boxes(int numbers, int frames) {
        heads = new int[numbers];
        tails = new int[numbers];
        java.util.Arrays.fill(heads, NONE);
        mbufs = new int[frames];
        nexts = new int[frames];
        this.numbers = new int[Math.min(numbers, frames)];
    }

    /** Adds a frame for a device. */
    void put(int number, int m) {
        int frame = frames++;
        mbufs[frame] = m;
        nexts[frame] = NONE;
        if (heads[number] == NONE) {
            heads[number] = frame;
            numbers[devices++] = number;
        } else {
            nexts[tails[number]] = frame;
        }
        tails[number] = frame;
    }

    /** How many devices have frames here. */
    int devices() {
        return devices;
    }

    /** The number of one of those devices, 0 being the first that got a frame. */
    int number(int i) {
        return numbers[i];
    }

    /**
     * Takes out a device's frames.
     *
     * @return how many were written to {@code into}, from {@code at} on
     */
    int take(int number, int[] into, int at) {
        int end = at;
        for (int frame = heads[number]; frame != NONE; frame = nexts[frame]) {
            into[end++] = mbufs[frame];
        }
        heads[number] = NONE;
        return end - at;
    }

    /** Begins the next burst; every device's frames have been taken out. */
    void clear() {
        frames = 0;
        devices = 0;
    }

    /** Frees all frames that have not been taken out, and begins anew. */
    void dropAll() {
        for (int i = 0; i < devices; i++) {
            for (int frame = heads[numbers[i]]; frame != NONE; frame = nexts[frame]) {
                Mbuf.free(mbufs[frame]);
            }
            heads[numbers[i]] = NONE;
        }
        clear();
    }
}
