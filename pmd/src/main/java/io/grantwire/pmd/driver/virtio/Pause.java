package io.grantwire.pmd.driver.virtio;

/** Waiting on the control path. */
final class Pause {
    private Pause() {}

    static void millis(int n) {
        try {
            Thread.sleep(n);
        } catch (InterruptedException e) {
            // A control operation is not given up half-way; whoever interrupts sees it afterwards.
            Thread.currentThread().interrupt();
        }
    }
}
