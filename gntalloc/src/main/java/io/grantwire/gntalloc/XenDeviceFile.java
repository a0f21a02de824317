package io.grantwire.gntalloc;

import io.grantwire.bindings.Epoll;
import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/** A device file of the running kernel. */
final class XenDeviceFile implements XenDevice {
    private final Fd fd;
    private final Epoll epoll;
    private final EventFd wake;
    private final ReentrantLock waiting = new ReentrantLock();

    private XenDeviceFile(Fd fd, Epoll epoll, EventFd wake) {
        this.fd = fd;
        this.epoll = epoll;
        this.wake = wake;
    }

    /**
     * Why a device cannot be used here, with what to type next; empty when it can.
     *
     * @param module the kernel module that makes it
     */
    static Optional<String> unavailable(Path path, String module) {
        if (!Files.exists(path)) {
            return Optional.of(
                    path
                            + " is absent: this is no Xen domain, or the driver is not loaded"
                            + " (modprobe "
                            + module
                            + ")");
        }
        if (!Files.isReadable(path) || !Files.isWritable(path)) {
            return Optional.of("no permission to open " + path + "; run as root");
        }
        return wrongPageSize(Mapping.pageSize());
    }

    /** Why a kernel of this page size is of no use: Xen shares pages of 4096 bytes only. */
    static Optional<String> wrongPageSize(long bytes) {
        return bytes == GrantSharer.PAGE_SIZE
                ? Optional.empty()
                : Optional.of(
                        "this kernel has pages of "
                                + bytes
                                + " bytes, Xen grants pages of 4096; use a kernel with 4 KiB"
                                + " pages");
    }

    /**
     * Opens a device to map from and control.
     *
     * @throws NativeException when it is absent or refused, or EINVAL for the kernel's page size
     */
    static XenDeviceFile open(Path path) {
        Optional<String> size = wrongPageSize(Mapping.pageSize());
        if (size.isPresent()) {
            throw new NativeException("open(" + path + ")", LibC.EINVAL(), size.get());
        }
        return new XenDeviceFile(Fd.open(path.toString(), LibC.O_RDWR()), null, null);
    }

    /** Opens a device to read events from as well, never waiting in a read. */
    static XenDeviceFile openForEvents(Path path) {
        Fd fd = Fd.open(path.toString(), LibC.O_RDWR() | LibC.O_NONBLOCK());
        Epoll epoll = null;
        EventFd wake = null;
        try {
            epoll = Epoll.create();
            wake = EventFd.create();
            epoll.add(fd.value(), LibC.EPOLLIN(), 0);
            epoll.add(wake.fd().value(), LibC.EPOLLIN(), 1);
            return new XenDeviceFile(fd, epoll, wake);
        } catch (RuntimeException e) {
            if (wake != null) {
                wake.close();
            }
            if (epoll != null) {
                epoll.close();
            }
            fd.close();
            throw e;
        }
    }

    @Override
    public String path() {
        return fd.what();
    }

    @Override
    public long ioctl(long request, MemorySegment argument) {
        return fd.ioctl(request, argument);
    }

    @Override
    public Range reserve(long length) {
        return new MappedRange(fd, Mapping.reserve(length));
    }

    @Override
    public Range map(long offset, long length, int prot) {
        return new MappedRange(fd, Mapping.shared(fd, offset, length, prot));
    }

    @Override
    public int read(MemorySegment into) {
        return fd.read(into);
    }

    @Override
    public int write(MemorySegment from) {
        return fd.write(from);
    }

    @Override
    public void awaitReadable(Duration atMost) {
        waiting.lock();
        try {
            if (epoll.fd().isOpen()) {
                epoll.await(new long[2], 2, atMost);
            }
        } finally {
            waiting.unlock();
        }
    }

    @Override
    public void wake() {
        wake.signal();
    }

    @Override
    public int fd() {
        return fd.value();
    }

    @Override
    public void close() {
        if (epoll != null && fd.isOpen()) {
            wake.signal();
            // Descriptors must not go while someone waits for them.
            waiting.lock();
            try {
                epoll.close();
                wake.close();
            } finally {
                waiting.unlock();
            }
        }
        fd.close();
    }

    private record MappedRange(Fd fd, Mapping mapping) implements Range {
        @Override
        public MemorySegment segment() {
            return mapping.segment();
        }

        @Override
        public void map(long at, long offset, long length, int prot) {
            mapping.mapFixed(at, fd, offset, length, prot);
        }

        @Override
        public void close() {
            mapping.close();
        }
    }
}
