package io.grantwire.pmd.xenvirt;

import io.grantwire.pmd.virtio.PeerMemory;
import java.lang.foreign.MemorySegment;

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

    /**
     * Offset of the byte that says that a back end serves the device. An extension: the original
     * back end never touches it, and the original front end never reads it.
     */
    public static final long BACKEND_OFFSET = 1;

    /** What our back end writes at {@link #BACKEND_OFFSET} while it has the device's pages. */
    public static final int ATTACHED = 0x5a;

    private FlagPage() {}

    /** Front end: says that the device lives. */
    public static void raise(MemorySegment page) {
        PeerMemory.writeReleaseU8(page, LIVE_OFFSET, LIVE);
    }

    /** Front end: says that the device is gone. */
    public static void clear(MemorySegment page) {
        PeerMemory.writeReleaseU8(page, LIVE_OFFSET, 0);
    }

    /** Back end: says that it polls the device's rings from now on. */
    public static void attach(MemorySegment page) {
        PeerMemory.writeReleaseU8(page, BACKEND_OFFSET, ATTACHED);
    }

    /**
     * Back end: says that it will not touch the device's rings and buffers again; its last access
     * before it unmaps them. Pairs with {@link #isAttached}.
     */
    public static void detach(MemorySegment page) {
        PeerMemory.writeReleaseU8(page, BACKEND_OFFSET, 0);
    }

    /**
     * Front end: whether a back end says that it has the device's pages. An original back end never
     * says so; one that was killed says so for ever.
     */
    public static boolean isAttached(MemorySegment page) {
        return PeerMemory.readAcquireU8(page, BACKEND_OFFSET) == ATTACHED;
    }

    /** Back end: whether the front end is alive. */
    public static boolean isLive(MemorySegment page) {
        return PeerMemory.readU8(page, LIVE_OFFSET) != 0;
    }
}
