package io.grantwire.bed;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Sends back every frame that a device receives, while the program outside sends frames and compares what comes back.
 *
 * <pre>
 *   Exchange CARD DEVICE COUNT MIN MAX      CARD: its name in the bed; DEVICE: what EthDrivers probes
 * </pre>
 */
public final class Exchange {
    private static final int BURST = 32;
    private static final int WINDOW = 16;
    private static final int MBUFS = 2048;
    private static final int HEADER = 14;
    private static final long LINK_NANOS = 20_000_000_000L;

    /** Buffers that hold any frame, and ones that jumbo frames need several of. */
    private static final int[] DATA_ROOMS = {2048, 9728};

    private final String card;
    private final EthDevice device;
    private final List<Mempool> pools = new ArrayList<>();
    private boolean failed;

    private Exchange(String card, EthDevice device) {
        this.card = card;
        this.device = device;
    }

    public static void main(String[] args) throws Exception {
        EthDevice device = EthDrivers.probe(args[1], () -> {
            throw new IllegalStateException("no domain here");
        });
        Exchange exchange = new Exchange(args[0], device);
        System.out.println(args[1] + " is " + device.info().driverName() + ", " + device.macAddress());
        for (int room : DATA_ROOMS) {
            exchange.run(room, Integer.parseInt(args[2]), Integer.parseInt(args[3]), Integer.parseInt(args[4]));
        }
        device.close();
        for (Mempool pool : exchange.pools) {
            exchange.check(pool.inUse() == 0, pool.name() + ": no mbuf is left behind, of " + pool.count() + " in use: " + pool.inUse());
            pool.close();
        }
        System.exit(exchange.failed ? 1 : 0);
    }

    private void check(boolean ok, String what) {
        System.out.println((ok ? "PASS " : "FAIL ") + what);
        failed |= !ok;
    }

    private void run(int room, int count, int shortest, int most) throws Exception {
        int mtu = Math.min(most - HEADER, device.info().maxMtu());
        int longest = Math.min(most, mtu + HEADER);
        String what = "buffers of " + room + " bytes: ";
        Mempool pool = Mempool.create(MempoolConfig.of("exchange-" + room, MBUFS).withDataRoom(room).withSource(device.packetMemory()));
        pools.add(pool);
        device.configure(EthConfig.SINGLE_QUEUE.withMtu(mtu == 1500 ? 0 : mtu).withOffloads(offloads()));
        device.rxQueueSetup(0, 0, pool);
        device.txQueueSetup(0, 0);
        device.start();
        check(awaitLink(), what + "the link comes up");
        device.resetStats();
        String answer = loop(count, shortest, longest);
        check(answer.startsWith("ok"), what + answer);
        EthStats stats = device.stats();
        check(
                stats.ipackets() == count && stats.opackets() == count && stats.ibytes() == stats.obytes() && stats.ierrors() + stats.imissed() == 0,
                what + "the statistics say so too: " + stats);
        device.stop();
    }

    /** Frames longer than a buffer, both ways, where the device has them as offloads. */
    private Set<EthOffload> offloads() {
        Set<EthOffload> wanted = EnumSet.of(EthOffload.RX_SCATTER, EthOffload.TX_MULTI_SEGS);
        wanted.retainAll(device.capabilities().offloads());
        return wanted;
    }

    private boolean awaitLink() throws InterruptedException {
        long end = System.nanoTime() + LINK_NANOS;
        while (!device.link().up()) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(10);
        }
        return true;
    }

    private String loop(int count, int shortest, int longest) throws Exception {
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Callable<String> asking = () -> {
                try (Wire wire = new Wire()) {
                    return wire.loop(card, count, shortest, longest, WINDOW, device.macAddress().toString());
                }
            };
            Future<String> answer = executor.submit(asking);
            echo(answer);
            return answer.get();
        }
    }

    private void echo(Future<?> until) throws IOException {
        int[] mbufs = new int[BURST];
        while (!until.isDone()) {
            int n = device.rxBurst(0, mbufs, 0, BURST);
            int done = 0;
            while (done < n && !until.isDone()) {
                done += device.txBurst(0, mbufs, done, n - done);
            }
            for (; done < n; done++) {
                Mbuf.free(mbufs[done]);
            }
            if (n == 0) {
                Thread.onSpinWait();
            }
        }
    }
}
