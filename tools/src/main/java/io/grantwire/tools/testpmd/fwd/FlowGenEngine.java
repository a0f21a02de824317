package io.grantwire.tools.testpmd.fwd;

/**
 * {@code flowgen}: sends UDP frames 10.254.0.0:1000 → 10.253.0.0+n:1001 for 1024 flows n in turn,
 * from 00:01:02:03:04:00 to 00:01:02:03:04:01, four bytes shorter than asked for (room for the
 * CRC). Received frames are thrown away.
 */
final class FlowGenEngine implements ForwardEngine {
    private static final int FLOWS = 1024;
    private static final int SRC_IP = 10 << 24 | 254 << 16;
    private static final int DST_IP = 10 << 24 | 253 << 16;
    private static final int SRC_PORT = 1000;
    private static final int DST_PORT = 1001;
    private static final long SRC_MAC = 0x0001_0203_0400L;
    private static final long DST_MAC = 0x0001_0203_0401L;
    private static final int CRC = 4;

    @Override
    public String name() {
        return "flowgen";
    }

    @Override
    public boolean generates() {
        return true;
    }

    private static int frameLength(Stream stream) {
        return Math.max(FrameTemplate.LENGTH, stream.settings.txPacketLength() - CRC);
    }

    @Override
    public void begin(Stream stream) {
        stream.template.fill(
                DST_MAC, SRC_MAC, frameLength(stream), SRC_IP, DST_IP, SRC_PORT, DST_PORT);
        stream.nextFlow = 0;
    }

    @Override
    public int forward(Stream stream) {
        int received = stream.receive();
        if (received > 0) {
            stream.discard(received);
        }
        int n = BurstMaker.makeFlows(stream, frameLength(stream), DST_IP, stream.nextFlow, FLOWS);
        if (n == 0) {
            return received;
        }
        long before = stream.tx();
        stream.tag(n);
        stream.send(n);
        int sent = (int) (stream.tx() - before);
        // Flows of frames that did not get out come again, so that all flows are sent evenly.
        stream.nextFlow = stream.nextFlow + sent & FLOWS - 1;
        return received + sent;
    }
}
