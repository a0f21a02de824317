package io.grantwire.bed;

import io.grantwire.gntalloc.EvtchnDevice;
import io.grantwire.gntalloc.GntdevMapper;
import io.grantwire.gntalloc.GrantMapException;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Domain 0's end of the checks between two domains, with {@link GuestPeer} in the guest whose id is the argument. A line per
 * check, then what some calls cost in relation to each other: this machine is emulated, its microseconds mean nothing.
 */
public final class HostPeer {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Grants that gntdev takes in one call, for all of the system. */
    private static final Path MAP_LIMIT = Path.of("/sys/module/xen_gntdev/parameters/limit");

    private final int guest;
    private final Xenstore store;
    private final Talk talk;
    private final GntdevMapper mapper = GntdevMapper.open();
    private final EvtchnDevice events = EvtchnDevice.open();
    private int passed;
    private int failed;

    /** Something to be found true; what is wrong otherwise. */
    private interface Check {
        String run() throws Exception;
    }

    private HostPeer(int guest, Xenstore store) {
        this.guest = guest;
        this.store = store;
        this.talk = Talk.asking(store, guest);
    }

    public static void main(String[] args) throws Exception {
        try (Xenstore store = Xenstores.host()) {
            HostPeer peer = new HostPeer(Integer.parseInt(args[0]), store);
            peer.run();
            System.out.println(peer.passed + " passed, " + peer.failed + " failed");
            System.exit(peer.failed == 0 ? 0 : 1);
        }
    }

    private void check(String what, Check check) {
        String wrong;
        try {
            wrong = check.run();
        } catch (Exception e) {
            wrong = e.toString();
        }
        if (wrong == null || wrong.equals("ok")) {
            passed++;
            System.out.println("PASS " + what);
        } else {
            failed++;
            System.out.println("FAIL " + what + ": " + wrong);
        }
    }

    private static String expect(Object wanted, Object got) {
        return wanted.equals(got) ? null : "expected " + wanted + ", got " + got;
    }

    private int ask(String question) throws InterruptedException {
        return Integer.parseInt(talk.ask(question));
    }

    private int[] grefs(int share, int pages) throws InterruptedException {
        int[] all = new int[pages];
        for (int at = 0; at < pages; at += 200) {
            int count = Math.min(200, pages - at);
            String[] list = talk.ask("grefs " + share + " " + at + " " + count).split(",");
            for (int i = 0; i < count; i++) {
                all[at + i] = Integer.parseInt(list[i]);
            }
        }
        return all;
    }

    private void run() throws Exception {
        check("domain 0: xenstore by libxenstore", () -> StoreChecks.run(Xenstores.library(), "/tool/bed-own"));
        check("domain 0: xenstore by its socket", () -> StoreChecks.run(Xenstores.socket(Path.of("/run/xenstored/socket")), "/tool/bed-own"));
        check("domain 0: xenstore by /dev/xen/xenbus", () -> StoreChecks.run(Xenstores.device(Xenstores.DEVICE), "/tool/bed-own"));
        check("guest: xenstore by libxenstore", () -> talk.ask("store 0"));
        check("guest: xenstore by /dev/xen/xenbus", () -> talk.ask("store 1"));
        check("guest: domain 0's keys are refused", () -> expect("EACCES", talk.ask("forbidden")));
        grants();
        channels();
        costs();
        check("guest killed: its byte is cleared while we map the page", this::death);
    }

    private void grants() {
        check("three pages of the guest: bytes go both ways", () -> bothWays(3));
        check("1500 pages of the guest in one range, in batches", () -> bothWays(1500));
        check("a list with repeats and in another order", () -> {
            int share = ask("share 4 1 0");
            int[] grefs = grefs(share, 4);
            int[] order = {3, 1, 1, 0, 2};
            try (GrantMapping mapping = mapper.map(guest, Arrays.stream(order).map(i -> grefs[i]).toArray(), true);
                    GrantMapping straight = mapper.map(guest, grefs, false)) {
                for (int i = 0; i < order.length; i++) {
                    if (mapping.segment().asSlice(i * 4096L, 4096).mismatch(straight.segment().asSlice(order[i] * 4096L, 4096)) >= 0) {
                        return "page " + i + " is another one";
                    }
                }
            }
            return talk.ask("unshare " + share);
        });
        check("pages granted for reading: refused for writing, mapped for reading", () -> {
            int share = ask("share 2 0 0");
            int[] grefs = grefs(share, 2);
            String refused = refusal(grefs, true);
            if (refused != null) {
                return refused;
            }
            try (GrantMapping mapping = mapper.map(guest, grefs, false)) {
                return Pattern.firstWrong(mapping.segment(), 1) < 0 ? talk.ask("unshare " + share) : "wrong bytes";
            }
        });
        check("pages granted to another domain are refused, and named", () -> {
            int share = ask("share 1 1 77");
            int[] grefs = grefs(share, 1);
            String refused = refusal(grefs, true);
            return refused != null ? refused : talk.ask("unshare " + share);
        });
        check("pages no longer granted are refused", () -> {
            int share = ask("share 2 1 0");
            int[] grefs = grefs(share, 2);
            mapper.map(guest, grefs, true).close();
            talk.ask("unshare " + share);
            return refusal(grefs, true);
        });
        check("one bad reference among good ones is found", () -> {
            int share = ask("share 9 1 0");
            int[] grefs = grefs(share, 9);
            int[] list = grefs.clone();
            list[6] = grefs[8] + 5000;
            try {
                mapper.map(guest, list, true).close();
                return "it was mapped";
            } catch (GrantMapException e) {
                return e.gref() == list[6] ? talk.ask("unshare " + share) : "named " + e.gref() + ", not " + list[6];
            }
        });
        check("share ended: the byte is cleared, the page stays while we map it", () -> {
            int share = ask("share 2 1 0");
            int[] grefs = grefs(share, 2);
            talk.ask("clear " + share + " 4096");
            try (GrantMapping mapping = mapper.map(guest, grefs, true)) {
                if (mapping.segment().get(ValueLayout.JAVA_BYTE, 4096) != (byte) 0xA5) {
                    return "the byte was not there before";
                }
                talk.ask("unshare " + share);
                if (mapping.segment().get(ValueLayout.JAVA_BYTE, 4096) != 0) {
                    return "the byte is still there";
                }
                return Pattern.firstWrong(mapping.segment(), 1) < 0 ? null : "the pages' contents have changed";
            }
        });
        check("guest: more pages than gntalloc's limit are refused, naming the limit", () -> {
            String message = talk.ask("limit 0");
            return message.contains("/sys/module/xen_gntalloc/parameters/limit") ? null : message;
        });
        check("gntdev takes few grants in one call: a long list goes in pieces", () -> {
            String before = Files.readString(MAP_LIMIT).trim();
            Files.writeString(MAP_LIMIT, "300");
            // One that has not found out yet how many it may give.
            try (GntdevMapper fresh = GntdevMapper.open()) {
                int share = ask("share 1000 1 0");
                try (GrantMapping mapping = fresh.map(guest, grefs(share, 1000), true)) {
                    int wrong = Pattern.firstWrong(mapping.segment(), 1);
                    if (wrong >= 0) {
                        return "page " + wrong + " came with other bytes";
                    }
                }
                return talk.ask("unshare " + share);
            } finally {
                Files.writeString(MAP_LIMIT, before);
            }
        });
        check("nothing stays mapped", () -> expect(0, mapper.mappedPages()));
    }

    private String bothWays(int pages) throws InterruptedException {
        int share = ask("share " + pages + " 1 0");
        try (GrantMapping mapping = mapper.map(guest, grefs(share, pages), true)) {
            int wrong = Pattern.firstWrong(mapping.segment(), 1);
            if (wrong >= 0) {
                return "page " + wrong + " came with other bytes";
            }
            Pattern.fill(mapping.segment(), 2);
            wrong = ask("wrong " + share + " 2");
            if (wrong >= 0) {
                return "page " + wrong + " went with other bytes";
            }
        }
        return talk.ask("unshare " + share);
    }

    /** Nothing, when a list is refused by naming its first reference. */
    private String refusal(int[] grefs, boolean writable) {
        try {
            mapper.map(guest, grefs, writable).close();
            return "it was mapped";
        } catch (GrantMapException e) {
            return e.gref() == grefs[0] ? null : "named " + e.gref() + ", not " + grefs[0];
        }
    }

    private int port;

    private void channels() {
        check("a port that the guest offers is bound", () -> {
            int offered = ask("offer");
            port = events.bindInterdomain(guest, offered);
            // A fresh binding fires once.
            for (int fired = events.await(Duration.ofMillis(300)); fired != 0; fired = events.await(Duration.ofMillis(300))) {
                events.unmask(fired);
            }
            talk.ask("echo " + offered + " 1000000");
            return null;
        });
        check("500 events go there and back", () -> pingPong(500) < 0 ? "an answer did not come" : null);
    }

    /** Nanoseconds a round, or -1. The guest may have had the binding's own event to echo first. */
    private long pingPong(int rounds) {
        while (events.await(Duration.ofMillis(200)) != 0) {
            events.unmask(port);
        }
        long begun = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
            events.notify(port);
            if (events.await(LONG) != port) {
                return -1;
            }
            events.unmask(port);
        }
        return (System.nanoTime() - begun) / rounds;
    }

    private void costs() throws InterruptedException {
        long read = cost(300, () -> store.readString("/local/domain/" + guest + "/name"));
        int share = ask("share 64 1 0");
        int[] grefs = grefs(share, 64);
        int[] single = {grefs[0]};
        long map1 = cost(200, () -> mapper.map(guest, single, true).close());
        long map64 = cost(50, () -> mapper.map(guest, grefs, true).close());
        long round = pingPong(500);
        long notify = cost(300, () -> events.notify(port));
        talk.ask("unshare " + share);
        System.out.printf(
                "COST in xenstore reads: event round trip %.2f, notify %.3f, map and unmap 1 page %.2f, 64 pages %.2f%n",
                (double) round / read, (double) notify / read, (double) map1 / read, (double) map64 / read);
    }

    private static long cost(int times, Runnable call) {
        IntStream.range(0, times / 4).forEach(i -> call.run());
        long begun = System.nanoTime();
        for (int i = 0; i < times; i++) {
            call.run();
        }
        return Math.max(1, (System.nanoTime() - begun) / times);
    }

    private String death() throws Exception {
        int share = ask("share 2 1 0");
        int[] grefs = grefs(share, 2);
        talk.ask("clear " + share + " 4097");
        try (GrantMapping mapping = mapper.map(guest, grefs, true)) {
            if (mapping.segment().get(ValueLayout.JAVA_BYTE, 4097) != (byte) 0xA5) {
                return "the byte was not there before";
            }
            talk.tell("die");
            long deadline = System.nanoTime() + LONG.toNanos();
            while ((byte) ValueLayout.JAVA_BYTE.varHandle().getVolatile(mapping.segment(), 4097L) != 0) {
                if (System.nanoTime() - deadline > 0) {
                    return "the byte is still there after " + LONG.toSeconds() + " s";
                }
                Thread.sleep(20);
            }
            return Pattern.firstWrong(mapping.segment(), 1) < 0 ? null : "the pages' contents have changed";
        }
    }
}
