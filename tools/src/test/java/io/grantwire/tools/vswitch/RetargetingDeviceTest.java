package io.grantwire.tools.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.tools.QueueDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RetargetingDeviceTest {
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

    private final Mempool pool = Mempool.create(MempoolConfig.of("test", 64));
    private final QueueDevice capture = new QueueDevice("00:00:00:00:00:99");
    private final RetargetingDevice device = new RetargetingDevice(capture, 0x11, 1000);

    @AfterEach
    void close() {
        assertEquals(0, pool.inUse());
        pool.close();
    }

    private String retargeted(String frame) {
        byte[] bytes = HEX.parseHex(frame);
        int m = pool.alloc();
        Mbuf.append(m, bytes.length);
        MemorySegment.copy(
                bytes, 0, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), bytes.length);
        capture.deliver(m);
        int[] out = new int[4];
        assertEquals(1, device.rxBurst(0, out, 1, 2));
        byte[] result = new byte[Mbuf.dataLen(out[1])];
        assertEquals(result.length, Mbuf.pktLen(out[1]));
        MemorySegment.copy(
                Mbuf.segment(out[1]),
                ValueLayout.JAVA_BYTE,
                Mbuf.offset(out[1]),
                result,
                0,
                result.length);
        Mbuf.free(out[1]);
        return HEX.formatHex(result);
    }

    @Test
    void anUntaggedFrameGetsATag() {
        assertEquals(
                "00 00 00 00 00 11 02 00 00 00 00 02 81 00 03 e8 08 00 45 00",
                retargeted("ff ff ff ff ff ff 02 00 00 00 00 02 08 00 45 00"));
    }

    @Test
    void aTaggedFrameGetsAnotherVlan() {
        assertEquals(
                "00 00 00 00 00 11 02 00 00 00 00 02 81 00 03 e8 86 dd 60",
                retargeted("33 33 00 00 00 01 02 00 00 00 00 02 81 00 e0 05 86 dd 60"));
    }

    @Test
    void whatIsNoFrameStaysAsItIs() {
        assertEquals("01 02 03", retargeted("01 02 03"));
    }
}
