package io.grantwire.bed;

import io.grantwire.gntalloc.EvtchnDevice;
import io.grantwire.gntalloc.GntallocSharer;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The guest's end of the checks between two domains: does what {@link HostPeer} asks for. */
public final class GuestPeer {
    private final GntallocSharer sharer = GntallocSharer.open();
    private final EvtchnDevice events = EvtchnDevice.open();
    private final List<GrantShare> shares = new ArrayList<>();
    private final Xenstore store;

    private GuestPeer(Xenstore store) {
        this.store = store;
    }

    public static void main(String[] args) throws InterruptedException {
        try (Xenstore store = Xenstores.host();
                Talk talk = Talk.answering(store)) {
            System.out.println("store by " + store.description());
            GuestPeer peer = new GuestPeer(store);
            for (String question = talk.question(); !question.equals("quit"); question = talk.question()) {
                System.out.println("asked: " + question);
                String answer;
                try {
                    answer = peer.obey(question.split(" "));
                } catch (RuntimeException e) {
                    answer = "failed " + e;
                }
                System.out.println("answered: " + answer.substring(0, Math.min(100, answer.length())));
                talk.answer(answer);
            }
            talk.answer("bye");
        }
        System.exit(0);
    }

    private String obey(String[] words) throws InterruptedException {
        int first = words.length > 1 ? Integer.parseInt(words[1]) : 0;
        int second = words.length > 2 ? Integer.parseInt(words[2]) : 0;
        int third = words.length > 3 ? Integer.parseInt(words[3]) : 0;
        return switch (words[0]) {
            case "store" -> StoreChecks.run(first == 0 ? Xenstores.library() : Xenstores.device(Xenstores.DEVICE), "data/bed/own");
            case "forbidden" -> {
                try {
                    store.write("/local/domain/0/data/bed", "x");
                    yield "written";
                } catch (io.grantwire.xenstore.XenstoreException e) {
                    yield e.errnoName();
                }
            }
            case "share" -> share(first, second, third);
            case "grefs" -> grefs(shares.get(first), second, third);
            case "wrong" -> "" + Pattern.firstWrong(shares.get(first).segment(), second);
            case "clear" -> {
                shares.get(first).segment().set(ValueLayout.JAVA_BYTE, second, (byte) 0xA5);
                shares.get(first).clearByteOnUnmap(second);
                yield "ok";
            }
            case "unshare" -> {
                shares.get(first).close();
                yield "ok";
            }
            case "limit" -> {
                try {
                    sharer.share(0, sharer.available() + 1, true).close();
                    yield "shared";
                } catch (RuntimeException e) {
                    yield e.getMessage();
                }
            }
            case "offer" -> "" + events.bindUnbound(0);
            case "echo" -> {
                Thread echo = new Thread(() -> echo(first, second), "echo");
                echo.setDaemon(true);
                echo.start();
                yield "ok";
            }
            case "die" -> {
                Runtime.getRuntime().halt(9);
                yield "";
            }
            default -> "failed no such order";
        };
    }

    /** Shares pages, filled; the answer is the share's number. */
    private String share(int pages, int writable, int domid) {
        GrantShare share = sharer.share(domid, pages, writable != 0);
        Pattern.fill(share.segment(), 1);
        shares.add(share);
        return "" + (shares.size() - 1);
    }

    /** Part of a share's references: a key's value is at most 2048 bytes long. */
    private static String grefs(GrantShare share, int from, int count) {
        return IntStream.range(from, from + count).mapToObj(i -> "" + share.gref(i)).collect(Collectors.joining(","));
    }

    private void echo(int port, int rounds) {
        for (int i = 0; i < rounds; i++) {
            int fired = events.await(Duration.ofSeconds(60));
            if (fired == 0) {
                System.out.println("no event in 60 s, round " + i);
                return;
            }
            events.unmask(fired);
            events.notify(port);
        }
    }
}
