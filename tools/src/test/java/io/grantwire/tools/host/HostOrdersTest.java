package io.grantwire.tools.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.xenstore.Reconnection;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreWatch;
import io.grantwire.xenstore.Xenstores;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is typed to a host. */
class HostOrdersTest {
    @TempDir Path dir;

    @Test
    void ordersAreUnderstood() {
        assertEquals(Optional.empty(), HostOrder.parse("  "));
        assertEquals(Optional.of(new HostOrder(Duration.ZERO)), HostOrder.parse(" restart-store "));
        assertEquals(
                Optional.of(new HostOrder(Duration.ofMillis(1500))),
                HostOrder.parse("restart-store 1.5"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "restart",
                "restart-store -1",
                "restart-store NaN",
                "restart-store x",
                "restart-store 1 2",
                "restart-store 3601"
            })
    void anythingElseIsToldWhatThereIs(String line) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> HostOrder.parse(line));
        assertTrue(e.getMessage().endsWith("type: restart-store [SECONDS]"), e.getMessage());
    }

    @Test
    void theStoreIsAwayForAWhileAndBackWithItsContents() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (EmulatedHost host = EmulatedHost.start(dir.resolve("h"));
                Xenstore store =
                        Xenstores.reconnecting(
                                Xenstores.Options.socket(host.xenstoreSocket()),
                                Reconnection.DEFAULT);
                XenstoreWatch watch = store.watch("/a", "t")) {
            store.write("/a", "1");
            while (watch.await(Duration.ofMillis(200)) != null) {}
            HostOrders orders = new HostOrders(host, new PrintStream(out));
            orders.take("restart-shop");
            long begin = System.nanoTime();
            orders.take("restart-store 0.3");
            assertTrue(System.nanoTime() - begin >= 300_000_000L);
            assertEquals("/a", watch.await(Duration.ofSeconds(20)).path());
            assertEquals("1", store.readString("/a"));
        }
        assertEquals(
                """
                XENHOST:not understood; type: restart-store [SECONDS]
                XENHOST:the store is stopped
                XENHOST:the store is back
                """,
                out.toString(StandardCharsets.UTF_8));
    }
}
