import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/**
 * Makes the frames that go through the bed, and compares what came out, byte by byte and in order. Runs on the machine outside,
 * from its source, and uses nothing of Grantwire, whose captures are to be judged.
 *
 * <pre>
 *   java FrameFiles.java make FILE COUNT DST VLAN           VLAN 0: no tag
 *   java FrameFiles.java compare SENT GOT DST SRC VLAN      what GOT must carry; VLAN 0: no tag
 * </pre>
 */
public final class FrameFiles {
    /** Classic pcap, little-endian, microseconds, Ethernet. */
    private static final int MAGIC = 0xa1b2c3d4;

    private static final int FILE_HEADER = 24;
    private static final int RECORD_HEADER = 16;
    private static final int ADDRESSES = 12;
    private static final int TAG = 4;

    private FrameFiles() {}

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "make" -> make(Path.of(args[1]), Integer.parseInt(args[2]), mac(args[3]), Integer.parseInt(args[4]));
            case "compare" -> {
                String problem = compare(Path.of(args[1]), Path.of(args[2]), mac(args[3]), mac(args[4]), Integer.parseInt(args[5]));
                if (problem != null) {
                    System.out.println(problem);
                    System.exit(1);
                }
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static byte[] mac(String text) {
        byte[] mac = new byte[6];
        String[] parts = text.split(":");
        for (int i = 0; i < 6; i++) {
            mac[i] = (byte) Integer.parseInt(parts[i], 16);
        }
        return mac;
    }

    /** Every length from the shortest to the longest frame comes up, in no order; contents are random but for the headers. */
    private static void make(Path file, int count, byte[] dst, int vlan) throws IOException {
        Random random = new Random(count);
        ByteBuffer out = ByteBuffer.allocate(FILE_HEADER + count * (RECORD_HEADER + 1518)).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(MAGIC).putShort((short) 2).putShort((short) 4).putInt(0).putInt(0).putInt(65535).putInt(1);
        for (int i = 0; i < count; i++) {
            int length = 60 + (i * 769) % 1455;
            byte[] payload = new byte[length - ADDRESSES - 2];
            random.nextBytes(payload);
            int all = length + (vlan == 0 ? 0 : TAG);
            out.putInt(i / 1000).putInt(i % 1000 * 1000).putInt(all).putInt(all);
            out.put(dst).put(new byte[] {2, 0, 0, 0, 0, 1});
            if (vlan != 0) {
                out.put(new byte[] {(byte) 0x81, 0, (byte) (vlan >> 8), (byte) vlan});
            }
            // An Ethernet type for experiments (IEEE 802).
            out.put(new byte[] {(byte) 0x88, (byte) 0xb5}).put(payload);
        }
        try (DataOutputStream stream = new DataOutputStream(Files.newOutputStream(file))) {
            stream.write(out.array(), 0, out.position());
        }
        System.out.println(count + " frames in " + file);
    }

    /** One frame without its addresses and tag. */
    private record Frame(byte[] dst, byte[] src, int vlan, byte[] rest) {}

    private static String compare(Path sentFile, Path gotFile, byte[] dst, byte[] src, int vlan) throws IOException {
        Frame[] sent = read(sentFile);
        Frame[] got = read(gotFile);
        long bytes = 0;
        for (int i = 0; i < Math.min(sent.length, got.length); i++) {
            Frame f = got[i];
            if (!Arrays.equals(f.rest(), sent[i].rest())) {
                return "frame " + i + " differs: sent " + sent[i].rest().length + " bytes of type and payload, got " + f.rest().length;
            }
            if (!Arrays.equals(f.dst(), dst) || !Arrays.equals(f.src(), src) || f.vlan() != vlan) {
                return "frame " + i + " came with other addresses or another VLAN: " + Arrays.toString(f.dst()) + " "
                        + Arrays.toString(f.src()) + " " + f.vlan();
            }
            bytes += f.rest().length;
        }
        if (sent.length != got.length) {
            return "sent " + sent.length + " frames, got " + got.length;
        }
        System.out.println(got.length + " frames, " + bytes + " bytes behind the addresses: all there, in order, byte for byte");
        return null;
    }

    private static Frame[] read(Path file) throws IOException {
        byte[] all;
        try (DataInputStream stream = new DataInputStream(Files.newInputStream(file))) {
            all = stream.readAllBytes();
        }
        ByteBuffer in = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
        int magic = in.getInt();
        if (magic != MAGIC && magic != 0xa1b23c4d) {
            throw new IOException(file + " is no little-endian pcap file");
        }
        in.position(FILE_HEADER);
        java.util.List<Frame> frames = new java.util.ArrayList<>();
        while (in.remaining() >= RECORD_HEADER) {
            in.position(in.position() + 8);
            byte[] frame = new byte[in.getInt()];
            in.getInt();
            in.get(frame);
            boolean tagged = frame[ADDRESSES] == (byte) 0x81 && frame[ADDRESSES + 1] == 0;
            int vlan = tagged ? ((frame[14] & 0xf) << 8) | frame[15] & 0xff : 0;
            frames.add(
                    new Frame(
                            Arrays.copyOf(frame, 6),
                            Arrays.copyOfRange(frame, 6, ADDRESSES),
                            vlan,
                            Arrays.copyOfRange(frame, ADDRESSES + (tagged ? TAG : 0), frame.length)));
        }
        return frames.toArray(Frame[]::new);
    }
}
