package io.grantwire.gntalloc.emulated;

import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantShare;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A domain's process that does what it is told, one line at a time; see {@link GuestProcess}. */
public final class GuestMain {
    private final HypervisorClient client;
    private final Map<Integer, GrantShare> shares = new HashMap<>();
    private final Map<Integer, GrantMapping> mappings = new HashMap<>();
    private int nextId = 1;

    private GuestMain(HypervisorClient client) {
        this.client = client;
    }

    /** Arguments: socket, domid, name. */
    public static void main(String[] args) throws IOException {
        HypervisorClient client;
        try {
            client = HypervisorClient.connect(Path.of(args[0]), Integer.parseInt(args[1]), args[2]);
        } catch (RuntimeException e) {
            System.out.println("error " + e.getMessage());
            return;
        }
        System.out.println("ok " + client.domid());
        GuestMain guest = new GuestMain(client);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String line;
        while ((line = in.readLine()) != null) {
            String answer;
            try {
                answer = "ok " + guest.obey(line.split(" "));
            } catch (RuntimeException e) {
                answer = "error " + e.getMessage();
            }
            System.out.println(answer);
        }
    }

    private Object obey(String[] c) {
        EventChannel events = client.events();
        switch (c[0]) {
            case "share" -> {
                GrantShare share = client.sharer().share(number(c[1]), number(c[2]), rw(c[3]));
                shares.put(nextId, share);
                String grefs =
                        IntStream.range(0, share.pages())
                                .mapToObj(i -> Integer.toString(share.gref(i)))
                                .collect(Collectors.joining(","));
                return nextId++ + " " + grefs;
            }
            case "clear" -> shares.get(number(c[1])).clearByteOnUnmap(number(c[2]));
            case "put" -> put(shares.get(number(c[1])).segment(), c);
            case "get" -> {
                return get(shares.get(number(c[1])).segment(), c);
            }
            case "close" -> shares.remove(number(c[1])).close();
            case "map" -> {
                int[] grefs = Arrays.stream(c[3].split(",")).mapToInt(GuestMain::number).toArray();
                mappings.put(nextId, client.mapper().map(number(c[1]), grefs, rw(c[2])));
                return nextId++;
            }
            case "mput" -> put(mappings.get(number(c[1])).segment(), c);
            case "mget" -> {
                return get(mappings.get(number(c[1])).segment(), c);
            }
            case "unmap" -> mappings.remove(number(c[1])).close();
            case "alloc" -> {
                return events.bindUnbound(number(c[1]));
            }
            case "bind" -> {
                return events.bindInterdomain(number(c[1]), number(c[2]));
            }
            case "notify" -> events.notify(number(c[1]));
            case "await" -> {
                return events.await(Duration.ofMillis(number(c[1])));
            }
            case "unmask" -> events.unmask(number(c[1]));
            case "echo" -> echo(events, number(c[1]));
            case "churn" -> churn(number(c[1]));
            default -> throw new IllegalArgumentException("what is " + c[0] + "?");
        }
        return "done";
    }

    /** Answers every event with one, until nothing comes for a while. */
    private static void echo(EventChannel events, int quietMillis) {
        int port;
        while ((port = events.await(Duration.ofMillis(quietMillis))) != 0) {
            events.unmask(port);
            events.notify(port);
        }
    }

    /** Shares and ends shares until killed. */
    private void churn(int domid) {
        System.out.println("ok churning");
        for (int i = 0; ; i++) {
            GrantShare share = client.sharer().share(domid, 1 + i % 70, true);
            share.clearByteOnUnmap(i % 4096);
            int port = client.events().bindUnbound(domid);
            if (i % 3 != 0) {
                share.close();
                client.events().unbind(port);
            } else if (i % 30 == 0) {
                client.sharer().share(domid, 1, true);
            }
        }
    }

    private static void put(MemorySegment memory, String[] c) {
        memory.set(ValueLayout.JAVA_BYTE, number(c[2]), (byte) number(c[3]));
    }

    private static int get(MemorySegment memory, String[] c) {
        return memory.get(ValueLayout.JAVA_BYTE, number(c[2]));
    }

    private static int number(String text) {
        return Integer.parseInt(text);
    }

    private static boolean rw(String text) {
        return text.equals("rw");
    }
}
