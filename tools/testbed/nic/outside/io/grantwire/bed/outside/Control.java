package io.grantwire.bed.outside;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;

/**
 * Does what jobs in the guest ask for over the serial port "wire", a line for a line:
 *
 * <pre>
 *   begin                                    go                    asked once by the guest's init; not answered when a snapshot is made
 *   ping                                     ok
 *   loop CARD COUNT MIN MAX WINDOW MAC       ok … | bad WHY        see {@link Loop}
 *   send CARD HEX                            ok                    a frame for the card
 *   take CARD MILLIS                         frame HEX | none      the next that the card has sent
 *   drain CARD                               ok COUNT              throws away what it has sent
 *   link CARD on|off                         ok                    plugs its cable in or out
 * </pre>
 *
 * Anything else, and what fails, is answered with "bad" and why.
 */
final class Control {
    private final ServerSocketChannel server;
    private final Map<String, NetPort> ports;
    private final Qmp qmp;
    private final boolean holds;
    private volatile UnixSocketStream guest;

    /**
     * @param holds whether the guest is to wait at its beginning
     */
    Control(Path socket, Map<String, NetPort> ports, Qmp qmp, boolean holds) throws IOException {
        this.server = UnixSocketStream.listen(socket);
        this.ports = ports;
        this.qmp = qmp;
        this.holds = holds;
        Thread.ofPlatform().daemon().name("control").start(this::serve);
    }

    /** Lets a guest go on that waits in a snapshot, and has asked somebody else. */
    void go(long millis) throws IOException, InterruptedException {
        long end = System.nanoTime() + millis * 1_000_000;
        while (guest == null) {
            if (System.nanoTime() > end) {
                throw new IOException("the guest's serial port did not come up");
            }
            Thread.sleep(10);
        }
        guest.write("go\n".getBytes(StandardCharsets.US_ASCII));
    }

    private void serve() {
        try (UnixSocketStream connected = UnixSocketStream.accept(server)) {
            guest = connected;
            String line;
            while ((line = connected.readLine()) != null) {
                if (line.equals("begin") && holds) {
                    continue;
                }
                connected.write((answer(line) + "\n").getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            System.err.println("control: " + e);
        }
        guest = null;
    }

    private String answer(String line) {
        String[] words = line.strip().split(" +");
        try {
            return switch (words[0]) {
                case "begin" -> "go";
                case "ping" -> "ok";
                case "loop" ->
                        new Loop(port(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]), Integer.parseInt(words[4]), Integer.parseInt(words[5]), mac(words[6])).run();
                case "send" -> {
                    port(words[1]).send(HexFormat.of().parseHex(words[2]));
                    yield "ok";
                }
                case "take" -> {
                    byte[] frame = port(words[1]).take(Long.parseLong(words[2]));
                    yield frame == null ? "none" : "frame " + HexFormat.of().formatHex(frame);
                }
                case "drain" -> "ok " + port(words[1]).drain();
                case "link" -> {
                    port(words[1]);
                    yield qmp.setLink(words[1], words[2].equals("on")) ? "ok" : "bad QEMU refused";
                }
                default -> "bad unknown request: " + words[0];
            };
        } catch (IOException | RuntimeException e) {
            return "bad " + e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "bad interrupted";
        }
    }

    private NetPort port(String name) {
        NetPort port = ports.get(name);
        if (port == null) {
            throw new IllegalArgumentException("no card " + name + "; there are " + ports.keySet());
        }
        return port;
    }

    private static byte[] mac(String text) {
        byte[] mac = HexFormat.ofDelimiter(":").parseHex(text.toLowerCase(java.util.Locale.ROOT));
        if (mac.length != 6) {
            throw new IllegalArgumentException(text + " is not a MAC address");
        }
        return mac;
    }
}
