package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.testing.Fixture;

/** Waiting for a store that comes back. */
final class Reconnections {
    private Reconnections() {}

    static void await(Xenstore store) throws InterruptedException {
        long end = System.nanoTime() + Fixture.SOON.toNanos();
        while (!store.connected()) {
            assertTrue(System.nanoTime() < end, "it is not back");
            Thread.sleep(1);
        }
    }

    static void awaitLoss(Xenstore store) throws InterruptedException {
        long end = System.nanoTime() + Fixture.SOON.toNanos();
        while (store.connected()) {
            assertTrue(System.nanoTime() < end, "the loss is not noticed");
            Thread.sleep(1);
        }
    }
}
