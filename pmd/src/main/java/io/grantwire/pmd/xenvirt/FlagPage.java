package io.grantwire.pmd.xenvirt;

import io.grantwire.pmd.virtio.PeerMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A device's flag page: one granted page whose first byte tells the back end that the front end is
 * alive. The kernel (or the emulated hypervisor) clears it when the process goes away, through
 * gntalloc's clear-byte-on-unmap.
 *
 * <p>Source: xenvirt protocol (docs/protocol.md). The key names the page directly, not through an
 * index page.
 */
public final class FlagPage {
    /** Offset of the live byte. */
    public static final long LIVE_OFFSET = 0;

    /** What the front end writes there. The back end takes any value but zero for alive. */
    public static final int LIVE = 0xa5;

    private FlagPage() {}

    /** Front end: says that the device lives. */
    public static void raise(MemorySegment page) {
        page.set(ValueLayout.JAVA_BYTE, LIVE_OFFSET, (byte) LIVE);
    }

    /** Front end: says that the device is gone. */
    public static void clear(MemorySegment page) {
        page.set(ValueLayout.JAVA_BYTE, LIVE_OFFSET, (byte) 0);
    }

    /** Back end: whether the front end is alive. */
    public static boolean isLive(MemorySegment page) {
        return PeerMemory.readU8(page, LIVE_OFFSET) != 0;
    }
}
