package io.grantwire.tools.testpmd.fwd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameChecksumsTest {
    private static final String ETHER = "020000000001020000000002";
    private static final String IPV4_UDP =
            "0800" + "4500 0021 0000 0000 4011 0000 0a000001 0a000002".replace(" ", "");
    private static final String UDP = "03e8 0035 000d ffff 6162636465".replace(" ", "");

    private final Mempool pool = Mempool.create(MempoolConfig.of("test", 64));
    private int m;

    @AfterEach
    void nothingLeaks() {
        Mbuf.free(m);
        assertEquals(0, pool.inUse());
        pool.close();
    }

    private int fill(String hex, int hardware) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        m = pool.alloc();
        Mbuf.append(m, bytes.length);
        MemorySegment.copy(
                bytes, 0, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), bytes.length);
        return FrameChecksums.fill(m, hardware);
    }

    private String hex(int from, int length) {
        byte[] bytes = new byte[length];
        MemorySegment.copy(
                Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m) + from, bytes, 0, length);
        return HexFormat.of().formatHex(bytes);
    }

    // The expected values are counted by hand (RFC 1071):
    // IPv4 header 4500+0021+4011+0a00+0001+0a00+0002 = 9935, complement 66ca.
    // UDP pseudo header 0a00+0001+0a00+0002+0011+000d = 1421; UDP 03e8+0035+000d + 6162+6364+6500
    // = 12df0 -> 2df1; together 4212, complement bded.

    @Test
    void softwarePutsBothInPlace() {
        assertEquals(Mbuf.TX_IPV4, fill(ETHER + IPV4_UDP + UDP, 0));
        assertEquals("66ca", hex(24, 2));
        assertEquals("bded", hex(40, 2));
    }

    @Test
    void hardwareGetsThePseudoHeadersSumAndTheHeadersLengths() {
        int flags = fill(ETHER + IPV4_UDP + UDP, Mbuf.TX_CKSUM_MASK);
        assertEquals(Mbuf.TX_IPV4 | Mbuf.TX_IP_CKSUM | Mbuf.TX_UDP_CKSUM, flags);
        assertEquals("0000", hex(24, 2));
        assertEquals("1421", hex(40, 2));
        assertEquals(14, Mbuf.txL2Len(m));
        assertEquals(20, Mbuf.txL3Len(m));
    }

    @Test
    void tagsAreSteppedOver() {
        fill(ETHER + "88a80001" + "81000002" + IPV4_UDP + UDP, Mbuf.TX_UDP_CKSUM);
        assertEquals("66ca", hex(32, 2));
        assertEquals("1421", hex(48, 2));
        assertEquals(22, Mbuf.txL2Len(m));
    }

    @Test
    void bytesOfPaddingDoNotCount() {
        fill(ETHER + IPV4_UDP + UDP + "ff".repeat(13), 0);
        assertEquals("bded", hex(40, 2));
    }

    @Test
    void udpWithoutChecksumStaysWithout() {
        fill(ETHER + IPV4_UDP + UDP.replace("ffff", "0000"), 0);
        assertEquals("0000", hex(40, 2));
    }

    @Test
    void aFragmentGetsItsHeadersChecksumOnly() {
        String fragment = IPV4_UDP.replace("00000000" + "4011", "00002000" + "4011");
        assertEquals(Mbuf.TX_IPV4, fill(ETHER + fragment + UDP, Mbuf.TX_UDP_CKSUM));
        assertEquals("46ca", hex(24, 2));
        assertEquals("ffff", hex(40, 2));
    }

    @Test
    void tcpOverIpv6() {
        // Addresses …1 and …2, length 20, next header 6: pseudo header 0001+0002+0014+0006 = 001d;
        // TCP 03e8+0050+5002 = 543a; together 5457, complement aba8.
        String tcp = "03e8 0050 00000000 00000000 5002 0000 dead 0000".replace(" ", "");
        String ipv6 = "86dd60000000001406ff" + "00".repeat(15) + "01" + "00".repeat(15) + "02";
        assertEquals(Mbuf.TX_IPV6, fill(ETHER + ipv6 + tcp, Mbuf.TX_UDP_CKSUM));
        assertEquals("aba8", hex(70, 2));
        assertEquals(0, Mbuf.txL3Len(m));
        Mbuf.free(m);
        assertEquals(Mbuf.TX_IPV6 | Mbuf.TX_TCP_CKSUM, fill(ETHER + ipv6 + tcp, Mbuf.TX_TCP_CKSUM));
        assertEquals("001d", hex(70, 2));
        assertEquals(40, Mbuf.txL3Len(m));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0800",
                "08004500",
                // Header length 16.
                "080044000021000000004011ffff0a0000010a00000203e80035000dffff6162636465",
                // Total length beyond the frame, and below the header.
                "080045000022000000004011ffff0a0000010a00000203e80035000dffff6162636465",
                "080045000013000000004011ffff0a0000010a00000203e80035000dffff6162636465",
                // Version 6 in an IPv4 frame.
                "080065000021000000004011ffff0a0000010a00000203e80035000dffff6162636465",
                // IPv6 whose payload is cut off.
                "86dd600000000014110000",
                "0806000108000604",
                "8100",
            })
    void whatMakesNoSenseStaysAsItIs(String rest) {
        byte[] before = HexFormat.of().parseHex(ETHER + rest);
        assertEquals(0, fill(ETHER + rest, Mbuf.TX_CKSUM_MASK));
        assertArrayEquals(before, HexFormat.of().parseHex(hex(0, before.length)));
    }

    @Test
    void anyBytesAtAllKeepTheirLength() {
        Random random = new Random(4711);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(80)];
            random.nextBytes(bytes);
            if (bytes.length > 20) {
                int[] types = {0x0800, 0x86dd, 0x8100, 0x88a8};
                int type = types[random.nextInt(types.length)];
                bytes[12] = (byte) (type >>> 8);
                bytes[13] = (byte) type;
                bytes[14] = (byte) (random.nextBoolean() ? 0x45 : 0x60);
            }
            m = pool.alloc();
            Mbuf.append(m, bytes.length);
            MemorySegment.copy(
                    bytes, 0, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), bytes.length);
            MemorySegment guard = Mbuf.segment(m).asSlice(Mbuf.offset(m) + bytes.length, 64);
            guard.fill((byte) 0x5a);
            FrameChecksums.fill(m, random.nextInt() & Mbuf.TX_CKSUM_MASK);
            assertEquals(bytes.length, Mbuf.pktLen(m));
            for (int b = 0; b < 64; b++) {
                assertEquals(0x5a, guard.get(ValueLayout.JAVA_BYTE, b), "written past the end");
            }
            Mbuf.free(m);
        }
        m = 0;
    }
}
