package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_irq_info;
import io.grantwire.bindings.gen.uapi.vfio_irq_set;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A VFIO device's interrupts, each an event descriptor that the kernel signals. */
final class VfioInterrupts implements PciInterrupts {
    private final PciAddress address;
    private final Fd device;
    private final List<EventFd> events = new ArrayList<>();
    private Kind on;

    VfioInterrupts(PciAddress address, Fd device) {
        this.address = address;
        this.device = device;
    }

    private static int index(Kind kind) {
        return switch (kind) {
            case MSIX -> Uapi.VFIO_PCI_MSIX_IRQ_INDEX();
            case MSI -> Uapi.VFIO_PCI_MSI_IRQ_INDEX();
            case INTX -> Uapi.VFIO_PCI_INTX_IRQ_INDEX();
        };
    }

    @Override
    public int available(Kind kind) {
        return count(index(kind));
    }

    private int count(int index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = vfio_irq_info.allocate(arena);
            vfio_irq_info.argsz(info, (int) vfio_irq_info.sizeof());
            vfio_irq_info.index(info, index);
            device.ioctl(Uapi.VFIO_DEVICE_GET_IRQ_INFO(), info);
            boolean events = (vfio_irq_info.flags(info) & Uapi.VFIO_IRQ_INFO_EVENTFD()) != 0;
            return events ? vfio_irq_info.count(info) : 0;
        } catch (NativeException absent) {
            return 0;
        }
    }

    @Override
    public List<PciInterrupt> enable(Kind kind, int vectors) {
        int most = available(kind);
        if (vectors < 1 || vectors > most) {
            throw new PciException(
                    "PCI device "
                            + address
                            + ": EINVAL ("
                            + vectors
                            + " "
                            + kind
                            + " vectors asked for, it has "
                            + most
                            + ")");
        }
        disable();
        for (int i = 0; i < vectors; i++) {
            events.add(EventFd.create());
        }
        try {
            long fewer = trigger(index(kind), events);
            if (fewer > 0) {
                throw new PciException(
                        "PCI device "
                                + address
                                + ": ENOSPC (the kernel has "
                                + fewer
                                + " "
                                + kind
                                + " vectors for it, not "
                                + vectors
                                + ")");
            }
        } catch (NativeException e) {
            closeEvents();
            throw VfioErrors.of(address, e);
        } catch (PciException e) {
            closeEvents();
            throw e;
        }
        on = kind;
        return events.stream()
                .<PciInterrupt>map(event -> new Event(this, kind == Kind.INTX, event))
                .toList();
    }

    /** Asks for the signal that the kernel wants the device back; null where it has none. */
    EventFd onRequest() {
        int index = Uapi.VFIO_PCI_REQ_IRQ_INDEX();
        if (count(index) == 0) {
            return null;
        }
        EventFd event = EventFd.create();
        try {
            trigger(index, List.of(event));
            return event;
        } catch (NativeException e) {
            event.close();
            return null;
        }
    }

    /** Returns how many vectors there are when there are too few, 0 when all went well. */
    private long trigger(int index, List<EventFd> signals) {
        try (Arena arena = Arena.ofConfined()) {
            long header = vfio_irq_set.sizeof();
            MemorySegment set = arena.allocate(header + signals.size() * (long) Integer.BYTES, 8);
            vfio_irq_set.argsz(set, (int) set.byteSize());
            vfio_irq_set.flags(
                    set, Uapi.VFIO_IRQ_SET_DATA_EVENTFD() | Uapi.VFIO_IRQ_SET_ACTION_TRIGGER());
            vfio_irq_set.index(set, index);
            vfio_irq_set.count(set, signals.size());
            for (int i = 0; i < signals.size(); i++) {
                set.set(JAVA_INT, header + i * (long) Integer.BYTES, signals.get(i).fd().value());
            }
            return device.ioctl(Uapi.VFIO_DEVICE_SET_IRQS(), set);
        }
    }

    @Override
    public void disable() {
        if (on != null) {
            try {
                plain(index(on), Uapi.VFIO_IRQ_SET_ACTION_TRIGGER(), 0);
            } catch (NativeException e) {
                throw VfioErrors.of(address, e);
            } finally {
                on = null;
                closeEvents();
            }
        }
    }

    private void unmask() {
        try {
            plain(Uapi.VFIO_PCI_INTX_IRQ_INDEX(), Uapi.VFIO_IRQ_SET_ACTION_UNMASK(), 1);
        } catch (NativeException e) {
            throw VfioErrors.of(address, e);
        }
    }

    private void plain(int index, int action, int count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = vfio_irq_set.allocate(arena);
            vfio_irq_set.argsz(set, (int) vfio_irq_set.sizeof());
            vfio_irq_set.flags(set, Uapi.VFIO_IRQ_SET_DATA_NONE() | action);
            vfio_irq_set.index(set, index);
            vfio_irq_set.count(set, count);
            device.ioctl(Uapi.VFIO_DEVICE_SET_IRQS(), set);
        }
    }

    private void closeEvents() {
        events.forEach(EventFd::close);
        events.clear();
    }

    private record Event(VfioInterrupts owner, boolean line, EventFd event)
            implements PciInterrupt {
        @Override
        public boolean await(Duration timeout) {
            try {
                return event.await(timeout) && event.drain() > 0;
            } catch (NativeException e) {
                throw VfioErrors.of(owner.address, e);
            }
        }

        @Override
        public void unmask() {
            if (line) {
                owner.unmask();
            }
        }

        @Override
        public Fd fd() {
            return event.fd();
        }
    }
}
