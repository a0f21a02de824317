package io.grantwire.vswitch.jmh;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.vswitch.VhostDevice;
import io.grantwire.vswitch.testkit.Bed;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Both sides of a guest's rings on one thread: the instructions of the path per packet, without
 * what two cores do to each other's caches.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "-Djmh.executor=CUSTOM",
            "-Djmh.executor.class=io.grantwire.pmd.lcore.LcoreExecutor"
        })
public class VhostPathBench {
    private static final int BURST = 32;

    /** Bytes of a frame. */
    @Param({"64", "1518"})
    int size;

    private Bed bed;
    private Domain guest;
    private Mempool guestPool;
    private EthDevice front;
    private Mempool pool;
    private VhostDevice back;
    private final int[] burst = new int[BURST];

    /** Joins a guest's device and the back end's. */
    @Setup(Level.Trial)
    public void setUp() {
        bed = new Bed();
        guest = bed.guest(1);
        guestPool =
                XenvirtMempools.create(
                        guest, "bench", 2048, Mempool.DEFAULT_DATA_ROOM, Mempool.DEFAULT_CACHE);
        front = EthDrivers.probe("eth_xenvirt0", () -> guest);
        start(front, guestPool);
        pool = Mempool.create(MempoolConfig.of("host", 4096));
        back = VhostDevice.open(bed.dom0(), 1, 0);
        start(back, pool);
        Bed.await("the guest attached", () -> back.link().up());
    }

    private static void start(EthDevice device, Mempool pool) {
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
    }

    /** Ends both. */
    @TearDown(Level.Trial)
    public void tearDown() throws Exception {
        back.close();
        pool.close();
        front.close();
        guestPool.close();
        bed.close();
    }

    private int send(Mempool from, EthDevice to) {
        int[] burst = this.burst;
        from.allocRawBulk(burst, 0, BURST);
        int size = this.size;
        for (int i = 0; i < BURST; i++) {
            Mbuf.init(burst[i], size, Mbuf.NO_PORT);
        }
        int n = to.txBurst(0, burst, 0, BURST);
        if (n < BURST) {
            Mempool.freeBulk(burst, n, BURST - n);
        }
        return n;
    }

    private int receive(EthDevice from) {
        int n = from.rxBurst(0, burst, 0, BURST);
        Mempool.freeBulk(burst, 0, n);
        return n;
    }

    /** A burst from the back end to the guest. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public int toGuest() {
        return send(pool, back) + receive(front);
    }

    /** A burst from the guest to the back end. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public int fromGuest() {
        return send(guestPool, front) + receive(back);
    }
}
