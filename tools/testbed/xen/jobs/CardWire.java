import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The far end of a network card's wire, on the machine outside: sends a capture's frames to the card, and keeps what the card sends
 * in another. Only so many frames are on their way at a time, since a card without free descriptors drops in silence. Runs from its
 * source, and uses nothing of Grantwire.
 *
 * <p>The wire is QEMU's netdev "stream" over a Unix socket: each frame has its length in four bytes, big endian, before it.
 *
 * <pre>
 *   java CardWire.java SOCKET IN.pcap OUT.pcap DIRECTORY    begins when DIRECTORY/wire-go is there, and makes DIRECTORY/wire-done
 * </pre>
 */
public final class CardWire {
    private static final int ON_THEIR_WAY = 96;
    private static final int MOST = 1 << 17;
    private static final long LOOK_MILLIS = 200;

    /** How long nothing may come back, on an emulated machine that others may keep from running. */
    private static final long PATIENCE_MILLIS = 240_000;

    private static final int FILE_HEADER = 24;
    private static final int RECORD_HEADER = 16;

    /** The Ethernet type of the bed's frames, behind their tag. */
    private static final int TYPE = 0x88b5;

    private static final int TYPE_AT = 16;

    private final List<byte[]> got = new ArrayList<>();
    private int others;
    private String broken;

    private CardWire() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Path socket = Path.of(args[0]);
        Path signals = Path.of(args[3]);
        byte[] capture = Files.readAllBytes(Path.of(args[1]));
        List<byte[]> frames = read(capture);
        CardWire wire = new CardWire();
        String said;
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            try (SocketChannel card = server.accept()) {
                Thread.ofPlatform().daemon().start(() -> wire.receive(card));
                said = wire.awaitGo(signals) ? wire.play(card, frames) : "the machine has ended";
            }
        }
        write(Path.of(args[2]), capture, wire.got);
        Files.writeString(signals.resolve("wire-done"), said + "\n");
        System.out.println(said);
    }

    private boolean awaitGo(Path signals) throws InterruptedException {
        while (!Files.exists(signals.resolve("wire-go"))) {
            synchronized (this) {
                if (broken != null) {
                    return false;
                }
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    private synchronized String play(SocketChannel card, List<byte[]> frames) throws IOException, InterruptedException {
        int sent = 0;
        int seen = 0;
        long waiting = System.currentTimeMillis();
        while (got.size() < frames.size() && broken == null) {
            while (sent < frames.size() && sent - got.size() < ON_THEIR_WAY) {
                send(card, frames.get(sent++));
            }
            wait(LOOK_MILLIS);
            if (got.size() > seen) {
                seen = got.size();
                waiting = System.currentTimeMillis();
            } else if (System.currentTimeMillis() - waiting > PATIENCE_MILLIS) {
                break;
            }
        }
        return "sent " + sent + " frames to the card, " + got.size() + " came back, and " + others + " others" + (broken == null ? "" : "; " + broken);
    }

    private static void send(SocketChannel card, byte[] frame) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES + frame.length).putInt(frame.length).put(frame).flip();
        while (buffer.hasRemaining()) {
            card.write(buffer);
        }
    }

    private void receive(SocketChannel card) {
        // The streams of Channels exclude each other: the one for reading would keep writers out.
        InputStream bytes =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        byte[] one = new byte[1];
                        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
                    }

                    @Override
                    public int read(byte[] into, int offset, int length) throws IOException {
                        return card.read(ByteBuffer.wrap(into, offset, length));
                    }
                };
        String end = "the machine has ended";
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(bytes, 1 << 16))) {
            while (true) {
                int length = in.readInt();
                if (length < 0 || length > MOST) {
                    throw new IOException("a frame of " + length + " bytes");
                }
                byte[] frame = new byte[length];
                in.readFully(frame);
                take(frame);
            }
        } catch (EOFException e) {
            // Said below.
        } catch (IOException e) {
            end = e.toString();
        }
        synchronized (this) {
            broken = end;
            notifyAll();
        }
    }

    private synchronized void take(byte[] frame) {
        boolean ours = frame.length >= TYPE_AT + 2 && ((frame[TYPE_AT] & 0xff) << 8 | frame[TYPE_AT + 1] & 0xff) == TYPE;
        if (ours) {
            got.add(frame);
        } else {
            others++;
        }
        notifyAll();
    }

    private static List<byte[]> read(byte[] capture) {
        ByteBuffer in = ByteBuffer.wrap(capture).order(ByteOrder.LITTLE_ENDIAN).position(FILE_HEADER);
        List<byte[]> frames = new ArrayList<>();
        while (in.remaining() >= RECORD_HEADER) {
            in.position(in.position() + 8);
            byte[] frame = new byte[in.getInt()];
            in.getInt();
            in.get(frame);
            frames.add(frame);
        }
        return frames;
    }

    /** In the format of the capture that was sent. */
    private static void write(Path file, byte[] like, List<byte[]> frames) throws IOException {
        int bytes = FILE_HEADER + frames.stream().mapToInt(f -> RECORD_HEADER + f.length).sum();
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.put(like, 0, FILE_HEADER);
        for (byte[] frame : frames) {
            out.putInt(0).putInt(0).putInt(frame.length).putInt(frame.length).put(frame);
        }
        Files.write(file, out.array());
    }
}
