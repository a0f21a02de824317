package io.grantwire.tools.host;

import io.grantwire.pmd.domain.EmulatedHost;
import java.io.PrintStream;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Does what is typed to a host, and says so. One thread. */
final class HostOrders {
    private final EmulatedHost host;
    private final PrintStream out;

    HostOrders(EmulatedHost host, PrintStream out) {
        this.host = host;
        this.out = out;
    }

    void take(String line) {
        try {
            Optional<HostOrder> order = HostOrder.parse(line);
            if (order.isPresent()) {
                restartStore(order.get());
            }
        } catch (RuntimeException e) {
            say(e.getMessage());
        }
    }

    private void restartStore(HostOrder order) {
        host.stopStore();
        say("the store is stopped");
        try {
            TimeUnit.NANOSECONDS.sleep(order.away().toNanos());
        } catch (InterruptedException e) {
            // It comes back earlier.
            Thread.currentThread().interrupt();
        } finally {
            host.startStore();
        }
        say("the store is back");
    }

    private void say(String what) {
        out.println("XENHOST:" + what);
        out.flush();
    }
}
