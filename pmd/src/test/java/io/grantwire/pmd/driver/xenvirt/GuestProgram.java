package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.lcore.Lcores;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.ring.Ring;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A guest in a process of its own, for tests: sends back whatever it receives, receiving on one
 * lcore and transmitting on another. Arguments: the host's directory, the domain id. Prints {@code
 * ready}, and ends when its input does.
 */
final class GuestProgram {
    private GuestProgram() {}

    /** Runs the guest. */
    public static void main(String[] args) throws Exception {
        DomainOptions options =
                DomainOptions.emulatedGuest(Path.of(args[0]), "echo")
                        .withDomid(Integer.parseInt(args[1]));
        try (Domain domain = Domains.open(options);
                Mempool pool = XenvirtMempools.create(domain, "guest", 2048, 2048, 128)) {
            run(domain, pool);
            System.out.println("in use after close: " + pool.inUse());
        }
    }

    private static void run(Domain domain, Mempool pool) throws Exception {
        try (EthDevice device =
                EthDrivers.probe("eth_xenvirt0,mac=00:00:00:00:00:11", () -> domain)) {
            device.configure(EthConfig.SINGLE_QUEUE);
            device.txQueueSetup(0, 0);
            device.rxQueueSetup(0, 0, pool);
            device.start();
            Ring between = Ring.create("echo", 512, Ring.Sync.SINGLE, Ring.Sync.SINGLE);
            int[] in = new int[32];
            int[] out = new int[32];
            int[] left = {0, 0};
            Lcore receiver =
                    Lcores.launch(
                            -1,
                            -1,
                            "rx",
                            () -> {
                                int n = device.rxBurst(0, in, 0, Math.min(32, between.freeCount()));
                                between.enqueueBulk(in, 0, n);
                                return n;
                            });
            Lcore sender =
                    Lcores.launch(
                            -1,
                            -1,
                            "tx",
                            () -> {
                                if (left[0] == left[1]) {
                                    left[0] = 0;
                                    left[1] = between.dequeueBurst(out, 0, 32);
                                }
                                int n = device.txBurst(0, out, left[0], left[1] - left[0]);
                                left[0] += n;
                                return n;
                            });
            System.out.println("ready");
            while (System.in.read() >= 0) {}
            Lcores.stop(List.of(receiver, sender), Duration.ofSeconds(10));
            Mempool.freeBulk(out, left[0], left[1] - left[0]);
            for (int n = between.dequeueBurst(in, 0, 32); n > 0; ) {
                Mempool.freeBulk(in, 0, n);
                n = between.dequeueBurst(in, 0, 32);
            }
        }
    }
}
