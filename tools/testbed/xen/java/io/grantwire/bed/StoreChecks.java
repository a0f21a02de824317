package io.grantwire.bed;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreWatch;
import java.time.Duration;
import java.util.List;

/** What every way to the store must do; closes the connection. */
final class StoreChecks {
    private StoreChecks() {}

    /** Works below {@code base}; the answer is "ok", or what was wrong. */
    static String run(Xenstore store, String base) throws InterruptedException {
        try (store) {
            store.rm(base);
            store.write(base + "/a", "one");
            store.mkdir(base + "/b");
            if (!"one".equals(store.readString(base + "/a"))) {
                return "read something else than was written";
            }
            if (store.readString(base + "/missing") != null) {
                return "read a missing key";
            }
            if (!store.directory(base).stream().sorted().toList().equals(List.of("a", "b"))) {
                return "directory gave " + store.directory(base);
            }
            try (XenstoreWatch watch = store.watch(base, "token")) {
                if (watch.await(Duration.ofSeconds(30)) == null) {
                    return "no first event";
                }
                while (watch.poll() != null) {
                    Thread.onSpinWait();
                }
                store.write(base + "/b/c", "two");
                XenstoreWatch.Event event = watch.await(Duration.ofSeconds(30));
                if (event == null || !event.path().endsWith("/b/c")) {
                    return "watch gave " + event;
                }
            }
            int sum =
                    store.transaction(t -> {
                        t.write(base + "/n", "41");
                        int n = Integer.parseInt(t.readString(base + "/n")) + 1;
                        t.write(base + "/n", "" + n);
                        return n;
                    });
            if (sum != 42 || !"42".equals(store.readString(base + "/n"))) {
                return "the transaction left " + store.readString(base + "/n");
            }
            byte[] big = new byte[2000];
            java.util.Arrays.fill(big, (byte) 'x');
            store.write(base + "/big", big);
            if (store.read(base + "/big").length != big.length) {
                return "a long value came back shorter";
            }
            store.rm(base);
            return store.exists(base) ? "removed keys are still there" : "ok";
        }
    }
}
