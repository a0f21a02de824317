package io.grantwire.bed;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreWatch;
import java.time.Duration;

/**
 * Questions and answers between domain 0 and a guest through two keys in the guest's part of the store: {@code ask} and
 * {@code answer}, each a running number and a text.
 */
final class Talk implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Xenstore store;
    private final String out;
    private final String in;
    private final XenstoreWatch watch;
    private int number;

    private Talk(Xenstore store, String out, String in) {
        this.store = store;
        this.out = out;
        this.in = in;
        this.watch = store.watch(in, "talk");
    }

    static Talk asking(Xenstore store, int guest) {
        String base = "/local/domain/" + guest + "/data/bed/";
        return new Talk(store, base + "ask", base + "answer");
    }

    static Talk answering(Xenstore store) {
        return new Talk(store, "data/bed/answer", "data/bed/ask");
    }

    String ask(String question) throws InterruptedException {
        number++;
        store.write(out, number + " " + question);
        String answer = await();
        if (answer.startsWith("failed ")) {
            throw new IllegalStateException("the guest: " + answer.substring(7));
        }
        return answer;
    }

    /** Asks for something after which no answer can come. */
    void tell(String order) {
        number++;
        store.write(out, number + " " + order);
    }

    String question() throws InterruptedException {
        number++;
        return await();
    }

    void answer(String text) {
        store.write(out, number + " " + text);
    }

    /** The text with our number. */
    private String await() throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() - deadline < 0) {
            String text = store.readString(in);
            String prefix = number + " ";
            if (text != null && text.startsWith(prefix)) {
                return text.substring(prefix.length());
            }
            watch.await(Duration.ofSeconds(1));
        }
        throw new IllegalStateException("nothing came in " + in + " for " + PATIENCE.toSeconds() + " s");
    }

    @Override
    public void close() {
        watch.close();
    }
}
