package io.grantwire.gntalloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The requests made of evtchn, byte by byte as xen/evtchn.h has them. */
class EvtchnDeviceTest {
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;

    private int nextPort = 30;
    private int fails;
    private final RecordingDevice device = new RecordingDevice(this::control, (o, l, p) -> {});
    private final EvtchnDevice events = new EvtchnDevice(device);

    private long control(long request, MemorySegment a, List<String> log) {
        String what =
                switch ((int) request) {
                    case 0x00084501 -> "bind domain " + a.get(U32, 0) + " port " + a.get(U32, 4);
                    case 0x00044502 -> "allocate for domain " + a.get(U32, 0);
                    case 0x00044503 -> "unbind " + a.get(U32, 0);
                    case 0x00044504 -> "notify " + a.get(U32, 0);
                    case 0x00004505 -> "reset";
                    default -> "unknown " + Long.toHexString(request);
                };
        log.add(what);
        if (fails != 0) {
            throw RecordingDevice.failure(fails);
        }
        return what.startsWith("bind") || what.startsWith("allocate") ? nextPort++ : 0;
    }

    @Test
    void thePortIsTheCallsValue() {
        assertEquals(30, events.bindUnbound(4));
        assertEquals(31, events.bindInterdomain(4, 17));
        events.notify(31);
        events.unbind(30);
        assertEquals(
                List.of("allocate for domain 4", "bind domain 4 port 17", "notify 31", "unbind 30"),
                device.take());
    }

    @Test
    void aFiredPortIsReadAndWrittenBackToUnmask() {
        events.bindUnbound(4);
        events.bindUnbound(4);
        device.take();
        device.readable.addAll(List.of(31, 30));
        assertEquals(31, events.await(Duration.ZERO));
        assertEquals(30, events.await(Duration.ZERO));
        events.unmask(31);
        events.unmask(30);
        events.unmask(99);
        assertEquals(List.of("write 31", "write 30"), device.take());
        assertEquals(0, events.await(Duration.ZERO));
    }

    @Test
    void aPortThatFiredBeforeItWasUnboundIsNotReported() {
        events.bindUnbound(4);
        events.bindUnbound(4);
        device.readable.addAll(List.of(30, 31));
        events.unbind(30);
        assertEquals(31, events.await(Duration.ZERO));
        assertEquals(0, events.await(Duration.ZERO));
    }

    @Test
    void afterAnOverflowEveryPortIsReported() {
        events.bindUnbound(4);
        events.bindUnbound(4);
        events.bindUnbound(4);
        events.unbind(31);
        device.take();
        device.readFails = LibC.EFBIG();
        assertEquals(
                Set.of(30, 32), Set.of(events.await(Duration.ZERO), events.await(Duration.ZERO)));
        assertEquals(0, events.await(Duration.ZERO));
        events.unmask(30);
        events.unmask(32);
        assertEquals(List.of("reset", "write 30", "write 32"), device.take());
    }

    @Test
    void failuresNameTheCallAndThePort() {
        fails = LibC.ENOTCONN();
        NativeException e = assertThrows(NativeException.class, () -> events.notify(12));
        assertEquals(LibC.ENOTCONN(), e.errno());
        assertTrue(e.getMessage().contains("EVTCHN_NOTIFY(port 12)"), e.getMessage());
        fails = LibC.EINVAL();
        e = assertThrows(NativeException.class, () -> events.bindInterdomain(3, 9));
        assertEquals(LibC.EINVAL(), e.errno());
        assertTrue(e.getMessage().contains("domain 3, port 9"), e.getMessage());
    }

    @Test
    void closingWakesThenCloses() {
        events.bindUnbound(4);
        device.take();
        events.close();
        events.close();
        assertEquals(List.of("wake", "close"), device.take());
        assertEquals(0, events.await(Duration.ofSeconds(5)));
    }
}
