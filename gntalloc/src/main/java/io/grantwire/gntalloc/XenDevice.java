package io.grantwire.gntalloc;

import io.grantwire.bindings.NativeException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * The few calls that are made on a Xen device file. The order and the arguments of these calls are
 * the whole difficulty of the devices, so tests record them.
 */
interface XenDevice extends AutoCloseable {
    /** Where it is, for messages. */
    String path();

    /**
     * Device control with a structure.
     *
     * @return the call's value
     * @throws NativeException if it fails
     */
    long ioctl(long request, MemorySegment argument);

    /** Reserves address space for pages of this device. */
    Range reserve(long length);

    /**
     * Maps pages at an address of the kernel's choice.
     *
     * @throws NativeException if the device refuses
     */
    Range map(long offset, long length, int prot);

    /** Reads without waiting: bytes, or -1 when there is nothing. */
    int read(MemorySegment into);

    /** Writes: bytes, or -1 when it would have to wait. */
    int write(MemorySegment from);

    /** Waits until a read may succeed, time runs out, or {@link #wake} is called. */
    void awaitReadable(Duration atMost);

    /** Ends the current and every later wait. */
    void wake();

    /** The descriptor, for polling. */
    int fd();

    @Override
    void close();

    /** Address space with pages of the device in it. */
    interface Range extends AutoCloseable {
        MemorySegment segment();

        /**
         * Maps pages at a place of the range.
         *
         * @throws NativeException if the device refuses; what lies there then is not to be touched
         */
        void map(long at, long offset, long length, int prot);

        /** Unmaps everything in it; a second call does nothing. */
        @Override
        void close();
    }
}
