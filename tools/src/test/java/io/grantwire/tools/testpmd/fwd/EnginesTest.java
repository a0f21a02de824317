package io.grantwire.tools.testpmd.fwd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.ZeroAllocation;
import io.grantwire.tools.QueueDevice;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EnginesTest {
    private static final long PEER = 0x22;

    private final Mempool pool = Mempool.create(MempoolConfig.of("test", 512));
    private final QueueDevice device = new QueueDevice("00:00:00:00:00:11");
    private final Stream.Settings settings = new Stream.Settings();
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @AfterEach
    void nothingLeaks() {
        device.clearSent();
        assertEquals(0, pool.inUse());
        pool.close();
    }

    private Stream stream() {
        return new Stream(0, device, 0, device, 0, pool, PEER, settings, new PrintStream(printed));
    }

    private int frame(String hex) {
        byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(hex);
        int m = pool.alloc();
        Mbuf.append(m, bytes.length);
        MemorySegment.copy(
                bytes,
                0,
                Mbuf.segment(m),
                java.lang.foreign.ValueLayout.JAVA_BYTE,
                Mbuf.offset(m),
                bytes.length);
        return m;
    }

    private byte[] sent(int index) {
        int m = device.sent(index);
        byte[] bytes = new byte[Mbuf.dataLen(m)];
        MemorySegment.copy(
                Mbuf.segment(m),
                java.lang.foreign.ValueLayout.JAVA_BYTE,
                Mbuf.offset(m),
                bytes,
                0,
                bytes.length);
        return bytes;
    }

    private String sentHex(int index) {
        return HexFormat.ofDelimiter(" ").formatHex(sent(index));
    }

    private static final String ETHER = "02 00 00 00 00 01 02 00 00 00 00 02 08 00";

    @Test
    void ioForwardsUntouched() {
        Stream stream = stream();
        device.deliver(frame(ETHER + " 01 02 03"));
        assertEquals(1, Engines.find("io").forward(stream));
        assertEquals(ETHER + " 01 02 03", sentHex(0));
        assertEquals(1, stream.rx());
        assertEquals(1, stream.tx());
    }

    @Test
    void macSetsPeerAndOwnAddressAndLeavesTheRest() {
        device.deliver(frame(ETHER + " 0a 0b"));
        Engines.find("mac").forward(stream());
        assertEquals("00 00 00 00 00 22 00 00 00 00 00 11 08 00 0a 0b", sentHex(0));
    }

    @Test
    void macswapExchangesTheAddresses() {
        device.deliver(frame(ETHER + " 0a"));
        Engines.find("mac_swap").forward(stream());
        assertEquals("02 00 00 00 00 02 02 00 00 00 00 01 08 00 0a", sentHex(0));
    }

    @Test
    void rxonlyFreesAndPrintsWhenVerbose() {
        Stream stream = stream();
        device.deliver(frame(ETHER));
        assertEquals(1, Engines.find("rxonly").forward(stream));
        assertEquals("", printed.toString());
        stream.setVerbose(1);
        device.deliver(frame(ETHER));
        Engines.find("rxonly").forward(stream);
        assertEquals(
                "port 0/queue 0: received 1 packets\n"
                        + "  src=02:00:00:00:00:02 - dst=02:00:00:00:00:01 - type=0x0800 - length=14"
                        + " - nb_segs=1\n",
                printed.toString());
        assertEquals(0, device.sent());
    }

    @Test
    void txonlySendsValidUdpOfTheLengthAsked() {
        settings.segmentLengths = new int[] {100};
        settings.burst = 4;
        Stream stream = stream();
        ForwardEngine engine = Engines.find("txonly");
        engine.begin(stream);
        assertEquals(4, engine.forward(stream));
        byte[] bytes = sent(3);
        assertEquals(100, bytes.length);
        assertEquals(
                "00 00 00 00 00 22 00 00 00 00 00 11 08 00 45 00 00 56 00 00 00 00 40 11",
                sentHex(3).substring(0, 24 * 3 - 1));
        assertEquals(0xffff, onesSum(bytes, 14, 20));
        assertEquals(
                "c0 a8 00 01 c0 a8 00 02 04 00 04 00 00 42 00 00",
                sentHex(3).substring(26 * 3, 42 * 3 - 1));
    }

    @Test
    void txonlyMakesAsManySegmentsAsAsked() {
        settings.segmentLengths = new int[] {64, 200, 8};
        settings.burst = 1;
        Stream stream = stream();
        ForwardEngine engine = Engines.find("txonly");
        engine.begin(stream);
        engine.forward(stream);
        int m = device.sent(0);
        assertEquals(3, Mbuf.nbSegs(m));
        assertEquals(272, Mbuf.pktLen(m));
        assertEquals(200, Mbuf.dataLen(Mbuf.next(m)));
    }

    @Test
    void flowgenGoesThroughItsFlowsWithValidChecksums() {
        settings.burst = 32;
        Stream stream = stream();
        ForwardEngine engine = Engines.find("flowgen");
        engine.begin(stream);
        int flows = 0;
        for (int burst = 0; burst < 33; burst++) {
            assertEquals(32, engine.forward(stream));
            for (int i = 0; i < device.sent(); i++) {
                byte[] bytes = sent(i);
                assertEquals(60, bytes.length);
                assertEquals(0xffff, onesSum(bytes, 14, 20));
                int flow = (bytes[32] & 0xff) << 8 | bytes[33] & 0xff;
                assertEquals(flows++ % 1024, flow);
                assertEquals(10, bytes[30]);
                assertEquals((byte) 253, bytes[31]);
            }
            device.clearSent();
        }
    }

    @Test
    void flowgenThrowsAwayWhatItReceives() {
        device.deliver(frame(ETHER));
        settings.burst = 1;
        Stream stream = stream();
        Engines.find("flowgen").begin(stream);
        assertEquals(2, Engines.find("flowgen").forward(stream));
        assertEquals(1, device.sent());
    }

    @Test
    void withoutRetryWhatDoesNotFitIsDroppedAndCounted() {
        device.room = 1;
        for (int i = 0; i < 3; i++) {
            device.deliver(frame(ETHER));
        }
        Stream stream = stream();
        Engines.find("io").forward(stream);
        assertEquals(1, stream.tx());
        assertEquals(2, stream.dropped());
        assertEquals(1, device.sendCalls);
    }

    @Test
    void withRetryItTriesAsOftenAsAllowed() {
        device.room = 1;
        settings.retry = true;
        settings.retryNum = 5;
        device.deliver(frame(ETHER));
        device.deliver(frame(ETHER));
        Stream stream = stream();
        Engines.find("io").forward(stream);
        assertEquals(6, device.sendCalls);
        assertEquals(1, stream.dropped());
    }

    @Test
    void aRequestToStopEndsARetry() {
        device.room = 0;
        settings.retry = true;
        settings.retryNum = Integer.MAX_VALUE;
        device.deliver(frame(ETHER));
        Stream stream = stream();
        stream.requestStop();
        Engines.find("io").forward(stream);
        assertEquals(1, stream.dropped());
    }

    @Test
    void icmpechoAnswersArp() {
        device.deliver(
                frame(
                        "ff ff ff ff ff ff 02 00 00 00 00 02 08 06 00 01 08 00 06 04 00 01"
                                + " 02 00 00 00 00 02 0a 00 00 01 00 00 00 00 00 00 0a 00 00 02"));
        Engines.find("icmpecho").forward(stream());
        assertEquals(
                "02 00 00 00 00 02 00 00 00 00 00 11 08 06 00 01 08 00 06 04 00 02"
                        + " 00 00 00 00 00 11 0a 00 00 02 02 00 00 00 00 02 0a 00 00 01",
                sentHex(0));
    }

    @Test
    void icmpechoAnswersPingWithValidChecksums() {
        device.deliver(frame(ETHER + echo("0a 00 00 02", "a0 f3")));
        Engines.find("icmpecho").forward(stream());
        byte[] reply = sent(0);
        assertEquals("02 00 00 00 00 02 02 00 00 00 00 01", sentHex(0).substring(0, 35));
        assertEquals("0a 00 00 02 0a 00 00 01 00", sentHex(0).substring(26 * 3, 35 * 3 - 1));
        byte[] request = HexFormat.ofDelimiter(" ").parseHex(ETHER + echo("0a 00 00 02", "a0 f3"));
        assertEquals(onesSum(request, 14, 20), onesSum(reply, 14, 20));
        assertEquals(
                onesSum(request, 34, reply.length - 34), onesSum(reply, 34, reply.length - 34));
    }

    @Test
    void icmpechoAnswersAGroupFromAnAddressThatCanBeASource() {
        device.deliver(frame(ETHER + echo("e0 00 00 01", "00 00")));
        byte[] request = HexFormat.ofDelimiter(" ").parseHex(ETHER + echo("e0 00 00 01", "00 00"));
        Engines.find("icmpecho").forward(stream());
        byte[] reply = sent(0);
        assertEquals("0a 00 00 00 0a 00 00 01", sentHex(0).substring(26 * 3, 34 * 3 - 1));
        assertEquals(onesSum(request, 14, 20), onesSum(reply, 14, 20));
    }

    @Test
    void icmpechoDropsEverythingElse() {
        device.deliver(frame(ETHER + " 00"));
        device.deliver(frame("ff ff"));
        device.deliver(frame("ff ff ff ff ff ff 02 00 00 00 00 02 08 06 00 01"));
        Engines.find("icmpecho").forward(stream());
        assertEquals(0, device.sent());
    }

    @Test
    void unknownModesAreNone() {
        assertNull(Engines.find("fly"));
        assertNotNull(Engines.find("macswap"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"io", "mac", "macswap", "rxonly", "txonly", "flowgen", "icmpecho", "csum"})
    void nothingIsAllocatedPerPacket(String mode) {
        Stream stream = stream();
        ForwardEngine engine = Engines.find(mode);
        engine.begin(stream);
        device.loop = true;
        boolean feeds = !engine.generates() && !mode.equals("rxonly") && !mode.equals("icmpecho");
        if (feeds) {
            for (int i = 0; i < 32; i++) {
                device.deliver(frame(ETHER));
            }
        }
        int[] back = new int[64];
        ZeroAllocation.check(
                mode,
                () -> {
                    if (!feeds && !engine.generates()) {
                        device.deliver(pool.alloc());
                    }
                    int n = engine.forward(stream);
                    if (engine.generates()) {
                        Mempool.freeBulk(back, 0, device.rxBurst(0, back, 0, 64));
                    }
                    return n;
                });
        drain();
    }

    private void drain() {
        int[] back = new int[64];
        int n;
        while ((n = device.rxBurst(0, back, 0, 64)) > 0) {
            Mempool.freeBulk(back, 0, n);
        }
    }

    @Test
    void frameLengthsAreChecked() {
        assertArrayEquals(new int[] {64, 1024}, FrameLengths.parse("64,1024"));
        for (String wrong :
                Arrays.asList("", "x", "20", "64,0", "64,", "1,2,3,4,5,6,7,8,9", "65535,1")) {
            org.junit.jupiter.api.Assertions.assertThrows(
                    io.grantwire.tools.testpmd.command.CommandException.class,
                    () -> FrameLengths.parse(wrong),
                    wrong);
        }
    }

    private static String echo(String dst, String checksum) {
        return " 45 00 00 20 00 01 00 00 40 01 66 da 0a 00 00 01 "
                + dst
                + " 08 00 "
                + checksum
                + " 00 07 00 01 61 62 63 64";
    }

    private static int onesSum(byte[] bytes, int from, int length) {
        int sum = 0;
        for (int i = from; i < from + length; i += 2) {
            sum += (bytes[i] & 0xff) << 8 | (i + 1 < bytes.length ? bytes[i + 1] & 0xff : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }

    @ParameterizedTest
    @ValueSource(strings = {"txonly", "flowgen"})
    void lengthsTakeTurnsAndTheHeadersTellThem(String mode) {
        settings.lengthCycle = new int[] {64, 594, 1518};
        settings.burst = 4;
        Stream stream = stream();
        Engines.find(mode).begin(stream);
        Engines.find(mode).forward(stream);
        Engines.find(mode).forward(stream);
        int[] wanted = {64, 594, 1518, 64, 594, 1518, 64, 594};
        for (int i = 0; i < wanted.length; i++) {
            byte[] frame = sent(i);
            assertEquals(wanted[i], frame.length);
            assertEquals(wanted[i] - 14, frame[16] << 8 & 0xff00 | frame[17] & 0xff);
            assertEquals(wanted[i] - 34, frame[38] << 8 & 0xff00 | frame[39] & 0xff);
            int sum = 0;
            for (int b = 14; b < 34; b += 2) {
                sum += frame[b] << 8 & 0xff00 | frame[b + 1] & 0xff;
            }
            assertEquals(0xffff, (sum & 0xffff) + (sum >>> 16), "checksum of frame " + i);
        }
    }

    @Test
    void anAlmostEmptyPoolGivesTheFramesThatItHas() {
        int[] taken = new int[509];
        org.junit.jupiter.api.Assertions.assertTrue(pool.allocBulk(taken, 0, taken.length));
        Stream stream = stream();
        Engines.find("txonly").begin(stream);
        assertEquals(3, Engines.find("txonly").forward(stream));
        Mempool.freeBulk(taken, 0, taken.length);
    }
}
