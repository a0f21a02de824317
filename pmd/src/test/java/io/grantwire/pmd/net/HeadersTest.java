package io.grantwire.pmd.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeadersTest {
    private static final String TAGGED =
            "00112233445566778899aabb810063e80800" + "45000000" + "00000000";

    private static MemorySegment bytes(String hex) {
        return MemorySegment.ofArray(HexFormat.of().parseHex(hex));
    }

    private static String hex(MemorySegment s) {
        return HexFormat.of().formatHex(s.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void etherFieldsAreWhereTheStandardPutsThem() {
        MemorySegment s = bytes("ffff" + "00112233445566778899aabb0806");
        assertEquals(0x0011_2233_4455L, EtherHeader.dst(s, 2));
        assertEquals(0x6677_8899_aabbL, EtherHeader.src(s, 2));
        assertEquals(EtherHeader.TYPE_ARP, EtherHeader.type(s, 2));
        EtherHeader.swapAddresses(s, 2);
        EtherHeader.setType(s, 2, 0x86DD);
        assertEquals("ffff66778899aabb00112233445586dd", hex(s));
        EtherHeader.setDst(s, 2, MacAddress.BROADCAST.value());
        EtherHeader.setSrc(s, 2, 0x0102_0304_0506L);
        assertEquals("ffffffffffffffff01020304050686dd", hex(s));
        assertTrue(EtherHeader.isMulticast(EtherHeader.dst(s, 2)));
    }

    private static int mbuf(Mempool pool, String hex) {
        MemorySegment data = bytes(hex);
        int m = pool.alloc();
        Mbuf.append(m, (int) data.byteSize());
        MemorySegment.copy(data, 0, Mbuf.segment(m), Mbuf.offset(m), data.byteSize());
        return m;
    }

    private static String hex(int m) {
        return hex(Mbuf.segment(m).asSlice(Mbuf.offset(m), Mbuf.dataLen(m)));
    }

    @Test
    void aTagIsStrippedAndInserted() {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 4))) {
            int m = mbuf(pool, TAGGED);
            assertEquals(0x0800, VlanTag.innerType(Mbuf.segment(m), Mbuf.offset(m)));
            assertTrue(VlanTag.strip(m));
            assertEquals("00112233445566778899aabb0800" + "4500000000000000", hex(m));
            assertEquals(0x63E8, Mbuf.vlanTci(m));
            assertEquals(1000, VlanTag.id(Mbuf.vlanTci(m)));
            assertEquals(3, VlanTag.priority(Mbuf.vlanTci(m)));
            assertEquals(Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED, Mbuf.olFlags(m));
            assertEquals(22, Mbuf.pktLen(m));
            assertFalse(VlanTag.strip(m));
            assertTrue(VlanTag.insert(m, 0x63E8));
            assertEquals(TAGGED, hex(m));
            Mbuf.trim(m, 9);
            assertFalse(VlanTag.strip(m), "the tag is cut off");
            Mbuf.setHeadroom(m, 3);
            assertFalse(VlanTag.insert(m, 1), "no headroom");
            Mbuf.free(m);
        }
    }

    @Test
    void ipv4AndUdpFieldsAndChecksumsAreConsistent() {
        MemorySegment s = MemorySegment.ofArray(new byte[20 + 8 + 5]);
        int src = Ipv4Header.parseAddress("192.168.0.1");
        int dst = Ipv4Header.parseAddress("192.168.0.199");
        Ipv4Header.write(s, 0, 13, 64, Ipv4Header.PROTO_UDP, src, dst);
        UdpHeader.write(s, 20, 4660, 53, 5);
        MemorySegment.copy(bytes("68656c6c6f"), 0, s, 28, 5);
        UdpHeader.updateChecksum(s, 0, 20);
        assertEquals(4, Ipv4Header.version(s, 0));
        assertEquals(20, Ipv4Header.headerLength(s, 0));
        assertEquals(33, Ipv4Header.totalLength(s, 0));
        assertEquals(64, Ipv4Header.ttl(s, 0));
        assertEquals(17, Ipv4Header.protocol(s, 0));
        assertFalse(Ipv4Header.isFragment(s, 0));
        assertEquals("192.168.0.199", Ipv4Header.formatAddress(Ipv4Header.dst(s, 0)));
        assertEquals(src, Ipv4Header.src(s, 0));
        assertEquals(0, InternetChecksum.of(s, 0, 20));
        assertEquals(4660, UdpHeader.srcPort(s, 20));
        assertEquals(53, UdpHeader.dstPort(s, 20));
        assertEquals(13, UdpHeader.length(s, 20));
        assertEquals(
                0,
                InternetChecksum.finish(
                        InternetChecksum.add(
                                Ipv4Header.pseudoHeaderSum(s, 0, 17, 13),
                                InternetChecksum.sum(s, 20, 13))));
        Ipv4Header.setDst(s, 0, src);
        Ipv4Header.setSrc(s, 0, dst);
        assertEquals(dst, Ipv4Header.src(s, 0));
        assertEquals(0, InternetChecksum.of(s, 0, 20), "the sum does not mind the order");
    }

    @Test
    void theRfc1071ExampleAndItsHeaderCheckOut() {
        // RFC 1071, section 3: the sum of these is ddf2.
        assertEquals(0xDDF2, InternetChecksum.sum(bytes("0001f203f4f5f6f7"), 0, 8));
        // The well-known header whose checksum is b861.
        MemorySegment s = bytes("45000073000040004011b861c0a80001c0a800c7");
        assertEquals(0, InternetChecksum.of(s, 0, 20));
        Ipv4Header.updateChecksum(s, 0);
        assertEquals(0xB861, Ipv4Header.checksum(s, 0));
    }

    @Test
    void sumsAgreeWithTheDefinitionAtEveryLengthAndSplit() {
        byte[] data = new byte[1600];
        new Random(3).nextBytes(data);
        java.util.Arrays.fill(data, 0, 800, (byte) 0xFF);
        MemorySegment s = MemorySegment.ofArray(data);
        for (int len = 0; len < 1600; len += len < 70 ? 1 : 37) {
            int expected = naive(data, len);
            assertEquals(expected, InternetChecksum.sum(s, 0, len), "length " + len);
            int cut = len / 3;
            int tail = InternetChecksum.sum(s, cut, len - cut);
            if (cut % 2 != 0) {
                tail = InternetChecksum.swapped(tail);
            }
            int whole = InternetChecksum.add(InternetChecksum.sum(s, 0, cut), tail);
            assertEquals(
                    InternetChecksum.finish(expected) % 0xFFFF,
                    InternetChecksum.finish(whole) % 0xFFFF,
                    "length " + len + " in two");
        }
    }

    private static int naive(byte[] data, int len) {
        int sum = 0;
        for (int i = 0; i < len; i += 2) {
            int word = (data[i] & 0xFF) << 8 | (i + 1 < len ? data[i + 1] & 0xFF : 0);
            sum += word;
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return sum;
    }

    @Test
    void addressesAreReadStrictly() {
        assertArrayEquals(
                new int[] {0, -1, 0x0A00_0001},
                new int[] {
                    Ipv4Header.parseAddress("0.0.0.0"),
                    Ipv4Header.parseAddress("255.255.255.255"),
                    Ipv4Header.parseAddress("10.0.0.1")
                });
        for (String bad :
                new String[] {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.x", "1..2.3"}) {
            assertThrows(IllegalArgumentException.class, () -> Ipv4Header.parseAddress(bad), bad);
        }
    }
}
