package io.grantwire.gntalloc;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** This machine's Xen, if it has one. */
final class RealXen {
    private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

    private RealXen() {}

    /** Skips the test, saying why, when a device cannot be used here. */
    static void assume(Optional<String> unavailable) {
        unavailable
                .filter(TOLD::add)
                .ifPresent(reason -> System.out.println("skipped on the real device: " + reason));
        assumeTrue(unavailable.isEmpty(), () -> "real device: " + unavailable.orElseThrow());
    }

    /**
     * The domain this runs in: the system property {@code grantwire.test.domid}, or the store's.
     */
    static int domid() {
        String given = System.getProperty("grantwire.test.domid");
        if (given != null) {
            return Integer.parseInt(given);
        }
        try {
            Process read =
                    new ProcessBuilder("xenstore-read", "domid").redirectErrorStream(true).start();
            String text = new String(read.getInputStream().readAllBytes()).trim();
            assumeTrue(
                    read.waitFor() == 0 && text.matches("[0-9]+"),
                    () -> "cannot tell our domain: xenstore-read domid said: " + text);
            return Integer.parseInt(text);
        } catch (IOException e) {
            assumeTrue(
                    false,
                    () ->
                            "cannot tell our domain: "
                                    + e.getMessage()
                                    + "; install xenstore-utils or set grantwire.test.domid");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return -1;
    }
}
