package io.grantwire.bed;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Asks the program outside, which has the far ends of the cards' wires; its class Control says what it understands. One thread. */
public final class Wire implements Closeable {
    private static final int BUFFER = 1 << 15;

    private final RandomAccessFile port;
    private final byte[] buffer = new byte[BUFFER];
    private int from;
    private int to;

    public Wire() throws IOException {
        port = new RandomAccessFile("/dev/wire", "rw");
    }

    /** Sends a line and returns the answer's. */
    public String ask(String line) throws IOException {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.US_ASCII);
        port.write(bytes);
        String answer;
        do {
            answer = readLine();
            // Said to the guest's init, perhaps too late for it.
        } while (answer.equals("go"));
        return answer;
    }

    private String readLine() throws IOException {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        while (true) {
            if (from == to) {
                from = 0;
                to = port.read(buffer);
                if (to <= 0) {
                    throw new IOException("the program outside is not there");
                }
            }
            byte b = buffer[from++];
            if (b == '\n') {
                return answer.toString(StandardCharsets.US_ASCII);
            }
            answer.write(b);
        }
    }

    private void command(String line) throws IOException {
        String answer = ask(line);
        if (!answer.startsWith("ok")) {
            throw new IOException(line.substring(0, Math.min(60, line.length())) + ": " + answer);
        }
    }

    /** Has a frame arrive at a card. */
    public void send(String card, byte[] frame) throws IOException {
        command("send " + card + " " + HexFormat.of().formatHex(frame));
    }

    /** The next frame that a card has sent; null when none comes in time. */
    public byte[] take(String card, long millis) throws IOException {
        String answer = ask("take " + card + " " + millis);
        return answer.startsWith("frame ") ? HexFormat.of().parseHex(answer.substring(6)) : null;
    }

    /** Throws away what a card has sent. */
    public void drain(String card) throws IOException {
        command("drain " + card);
    }

    /** Plugs a card's cable in or out. */
    public void link(String card, boolean on) throws IOException {
        command("link " + card + " " + (on ? "on" : "off"));
    }

    /** Has frames sent to a card, each of which must come back; returns "ok …", or "bad …" and why. */
    public String loop(String card, int count, int shortest, int longest, int window, String mac) throws IOException {
        return ask("loop " + card + " " + count + " " + shortest + " " + longest + " " + window + " " + mac);
    }

    @Override
    public void close() throws IOException {
        port.close();
    }
}
