package io.grantwire.tools.testpmd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.tools.Main;
import io.grantwire.tools.cli.StopRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** testpmd forwarding between the wire and a network card made up of byte arrays. */
class NicForwardingTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final PipedOutputStream typed = new PipedOutputStream();
    private Thread program;
    private volatile int status = -1;
    private FakeNic nic;

    @BeforeAll
    static void registerCard() {
        FakeNic.register();
    }

    @AfterEach
    void end() throws Exception {
        typed.close();
        if (program != null) {
            program.join(PATIENCE.toMillis());
        }
    }

    private void start(String... options) throws Exception {
        List<String> args = new ArrayList<>(List.of("testpmd", "--vdev=net_fakenic7", "--", "-i"));
        args.addAll(List.of(options));
        PipedInputStream in = new PipedInputStream(typed);
        program =
                new Thread(() ->
                        status =
                                Main.run(
                                        args.toArray(String[]::new),
                                        in,
                                        stream(out),
                                        stream(err),
                                        new StopRequest()));
        program.start();
        type("set verbose 0");
        await("ready", () -> text().contains("verbose level"));
        nic = FakeNic.named("net_fakenic7");
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private void type(String... lines) throws IOException {
        for (String line : lines) {
            typed.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }
        typed.flush();
    }

    private void begin(String... lines) throws Exception {
        type(lines);
        type("start");
        await("started", () -> text().contains("nb forwarding cores="));
    }

    private String finish() throws Exception {
        type("stop", "quit");
        program.join(PATIENCE.toMillis());
        assertEquals(0, status, text() + err);
        return text();
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, what + " does not come; so far:\n" + text());
            Thread.sleep(2);
        }
    }

    /** UDP 10.0.0.1:p → 10.0.0.2:53 for the card, checksums wrong, payload odd in length. */
    private static byte[] udp(int lastByteOfSource, int port, int payload) {
        ByteBuffer b = ByteBuffer.allocate(14 + 20 + 8 + payload);
        b.put(new byte[] {2, 0, 0, 0, 0, (byte) 0xa0, 2, 0, 0, 0, 0, 1}).putShort((short) 0x0800);
        b.putShort((short) 0x4500).putShort((short) (28 + payload)).putInt(0);
        b.put((byte) 64).put((byte) 17).putShort((short) 0x1234);
        b.put(new byte[] {10, 0, 0, (byte) lastByteOfSource, 10, 0, 0, 2});
        b.putShort((short) port).putShort((short) 53).putShort((short) (8 + payload));
        b.putShort((short) 0x4321);
        for (int i = 0; i < payload; i++) {
            b.put((byte) (i * 7 + 1));
        }
        return b.array();
    }

    /** The sum over UDP and its pseudo header is all ones when the checksum is right. */
    private static int udpSum(byte[] frame) {
        int length = FakeNic.be16(frame, 38);
        byte[] pseudo = new byte[12];
        System.arraycopy(frame, 26, pseudo, 0, 8);
        pseudo[9] = 17;
        FakeNic.put16(pseudo, 10, length);
        int sum = FakeNic.sum(pseudo, 0, 12) + FakeNic.sum(frame, 34, length);
        return (sum & 0xffff) + (sum >>> 16);
    }

    @Test
    void framesOfDifferentSourcesGoOverAllQueuesAndEachQueueIsReported() throws Exception {
        start("--rxq=4", "--txq=4");
        begin("set fwd io");
        for (int i = 0; i < 40; i++) {
            nic.arrive(udp(i, 1000, 20));
        }
        await("frames", () -> nic.leftCount() == 40);
        String text = finish();
        for (int q = 0; q < 4; q++) {
            assertTrue(
                    text.contains(
                            "  ------- Forward Stats for RX Port= 0/Queue= "
                                    + q
                                    + " -> TX Port= 0/Queue= "
                                    + q
                                    + " -------\n  RX-packets: 10             TX-packets: 10"),
                    text);
        }
        assertTrue(text.contains("  RX-packets: 40             RX-dropped: 0 "), text);
    }

    @Test
    void checksumsAreComputedBySoftware() throws Exception {
        start("--enable-rx-cksum", "--eth-peer=0,00:00:00:00:00:99");
        begin("set fwd csum");
        nic.arrive(udp(1, 1000, 33));
        await("a frame", () -> nic.leftCount() == 1);
        byte[] frame = nic.left();
        assertEquals(0xffff, FakeNic.sum(frame, 14, 20), "IPv4 header");
        assertEquals(0xffff, udpSum(frame), "UDP");
        assertArrayEquals(
                new byte[] {0, 0, 0, 0, 0, (byte) 0x99, 2, 0, 0, 0, 0, (byte) 0xa0},
                Arrays.copyOf(frame, 12));
        String text = finish();
        assertTrue(text.contains("  Bad-ipcsum: 1              Bad-l4csum: 0 "), text);
    }

    @Test
    void checksumsAreComputedByTheCardWhenItIsTold() throws Exception {
        start();
        begin(
                "port stop 0",
                "csum set ip hw 0",
                "csum set udp hw 0",
                "port start 0",
                "set fwd csum");
        nic.arrive(udp(1, 1000, 33));
        await("a frame", () -> nic.leftCount() == 1);
        byte[] frame = nic.left();
        assertEquals(0xffff, FakeNic.sum(frame, 14, 20), "IPv4 header");
        assertEquals(0xffff, udpSum(frame), "UDP");
        finish();
    }

    @Test
    void aChecksumGoesOverAllBuffersOfALongFrame() throws Exception {
        // 8001 bytes of payload over buffers of 2047: the pieces begin at odd places too.
        start("--max-pkt-len=9018", "--mbuf-size=2175");
        begin("set fwd csum");
        byte[] sent = udp(1, 1000, 8001);
        nic.arrive(sent);
        await("a frame", () -> nic.leftCount() == 1);
        byte[] frame = nic.left();
        assertEquals(0xffff, udpSum(frame), "UDP");
        assertArrayEquals(
                Arrays.copyOfRange(sent, 42, sent.length),
                Arrays.copyOfRange(frame, 42, frame.length));
        finish();
    }

    @Test
    void theCardTagsFramesInMacModeAndNotInIoMode() throws Exception {
        start();
        begin("port stop 0", "tx_vlan set 0 42", "port start 0", "set fwd mac");
        nic.arrive(udp(1, 1000, 20));
        await("a frame", () -> nic.leftCount() == 1);
        byte[] frame = nic.left();
        assertEquals(0x8100, FakeNic.be16(frame, 12));
        assertEquals(42, FakeNic.be16(frame, 14));
        type("stop", "set fwd io", "start");
        await("started again", () -> text().contains("io packet forwarding - CRC"));
        nic.arrive(udp(1, 1000, 20));
        await("a frame", () -> nic.leftCount() == 1);
        assertEquals(0x0800, FakeNic.be16(nic.left(), 12));
        finish();
    }

    @Test
    void generatedFramesAreTaggedToo() throws Exception {
        start();
        type("port stop 0", "tx_vlan set 0 7", "port start 0", "set fwd txonly", "start");
        await("a frame", () -> nic.leftCount() > 0);
        byte[] frame = nic.left();
        assertEquals(0x8100, FakeNic.be16(frame, 12));
        assertEquals(68, frame.length);
        type("stop");
        await("stopped", () -> text().contains("Done.\n"));
        type("quit");
        program.join(PATIENCE.toMillis());
        assertEquals(0, status, text());
    }

    @Test
    void whatTheCardFoundOutIsPrinted() throws Exception {
        start("--rxq=2", "--txq=2", "--enable-rx-cksum", "--enable-hw-vlan-strip");
        begin("set fwd rxonly", "set verbose 1");
        ByteBuffer tagged = ByteBuffer.allocate(66);
        byte[] plain = udp(3, 1000, 20);
        tagged.put(plain, 0, 12).putInt(0x8100_2064).put(plain, 12, plain.length - 12);
        nic.arrive(tagged.array());
        await("a line", () -> text().contains("nb_segs=1"));
        String text = finish();
        assertTrue(
                text.contains(
                        "port 0/queue 1: received 1 packets\n"
                                + "  src=02:00:00:00:00:01 - dst=02:00:00:00:00:A0 - type=0x0800 -"
                                + " length=62 - nb_segs=1 - RSS hash=0x5 - RSS queue=0x1 - VLAN"
                                + " tci=0x2064\n"
                                + "  ol_flags: PKT_RX_VLAN PKT_RX_VLAN_STRIPPED PKT_RX_RSS_HASH"
                                + " PKT_RX_IP_CKSUM_BAD\n"),
                text);
    }
}
