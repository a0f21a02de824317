package io.grantwire.pmd.driver.afpacket;

/**
 * How a packet socket's ring is cut: blocks of memory, each holding whole frames.
 *
 * <p>Source: Linux {@code Documentation/networking/packet_mmap.rst}.
 *
 * @param frameSize bytes of a frame with its header, a multiple of 16
 * @param blockSize bytes of a block, a multiple of the page size
 * @param wantedFrames how many frames there should be at least
 */
record PacketRingGeometry(int frameSize, int blockSize, int wantedFrames) {
    int framesPerBlock() {
        return blockSize / frameSize;
    }

    int blocks() {
        return (wantedFrames + framesPerBlock() - 1) / framesPerBlock();
    }

    /** Frames there are: whole blocks full. */
    int frames() {
        return blocks() * framesPerBlock();
    }

    /** Bytes of one ring. */
    long bytes() {
        return (long) blocks() * blockSize;
    }

    /** Offset of each frame in the ring. */
    long[] frameOffsets() {
        long[] offsets = new long[frames()];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] =
                    (long) (i / framesPerBlock()) * blockSize
                            + (long) (i % framesPerBlock()) * frameSize;
        }
        return offsets;
    }
}
