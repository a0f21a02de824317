package io.grantwire.gntalloc;

import io.grantwire.bindings.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A device that writes down what is asked of it and answers as a test says. */
final class RecordingDevice implements XenDevice {
    /** What an ioctl does: reads and writes the argument, returns the call's value. */
    interface Control {
        long call(long request, MemorySegment argument, List<String> log);
    }

    /** May throw to refuse a mapping. */
    interface Mmap {
        void check(long offset, long length, int prot);
    }

    final List<String> log = new ArrayList<>();
    final Deque<Integer> readable = new ArrayDeque<>();

    /** Errno of the next read, 0 for none. */
    int readFails;

    private final Control control;
    private final Mmap mmap;

    RecordingDevice(Control control, Mmap mmap) {
        this.control = control;
        this.mmap = mmap;
    }

    static NativeException failure(int errno) {
        return new NativeException("recorded", errno);
    }

    /** Takes what was written down so far. */
    List<String> take() {
        List<String> taken = List.copyOf(log);
        log.clear();
        return taken;
    }

    @Override
    public String path() {
        return "/dev/xen/recorded";
    }

    @Override
    public long ioctl(long request, MemorySegment argument) {
        return control.call(request, argument, log);
    }

    @Override
    public Range reserve(long length) {
        log.add("reserve " + length);
        return new RecordedRange(length, "range");
    }

    @Override
    public Range map(long offset, long length, int prot) {
        log.add("mmap offset " + offset + " length " + length + " prot " + prot);
        mmap.check(offset, length, prot);
        return new RecordedRange(length, "probe");
    }

    @Override
    public int read(MemorySegment into) {
        if (readFails != 0) {
            int errno = readFails;
            readFails = 0;
            throw failure(errno);
        }
        if (readable.isEmpty()) {
            return -1;
        }
        into.set(ValueLayout.JAVA_INT, 0, readable.poll());
        return 4;
    }

    @Override
    public int write(MemorySegment from) {
        log.add("write " + from.get(ValueLayout.JAVA_INT, 0));
        return (int) from.byteSize();
    }

    @Override
    public void awaitReadable(Duration atMost) {
        log.add("wait");
    }

    @Override
    public void wake() {
        log.add("wake");
    }

    @Override
    public int fd() {
        return 4711;
    }

    @Override
    public void close() {
        log.add("close");
    }

    private final class RecordedRange implements Range {
        private final MemorySegment memory;
        private final String what;

        RecordedRange(long length, String what) {
            this.memory = Arena.ofAuto().allocate(length);
            this.what = what;
        }

        @Override
        public MemorySegment segment() {
            return memory;
        }

        @Override
        public void map(long at, long offset, long length, int prot) {
            log.add("mmap at " + at + " offset " + offset + " length " + length + " prot " + prot);
            mmap.check(offset, length, prot);
        }

        @Override
        public void close() {
            log.add("munmap " + what);
        }
    }
}
