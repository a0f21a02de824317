package io.grantwire.tools.bench.soak;

import io.grantwire.bindings.NativeException;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.StdinWatch;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.xenstore.XenstoreException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A guest that means harm: shows the switch a good device, then writes anything anywhere into what
 * it shares, rings, index pages, buffers and flag alike, and into its keys, and begins anew. {@code
 * bench soak} starts it; arguments: directory, domain, seed. What it does depends on the seed only;
 * when, on the machine.
 */
public final class HostileGuest implements Command {
    private static final int LONGEST_ROUND_MILLIS = 500;
    private static final int WRITES_AT_ONCE = 64;
    private static final Duration REST = Duration.ofMillis(1);
    private static final String KEYS = "control/dpdk";

    private final SplittableRandom random;
    private final StopRequest stop;
    private final Domain domain;

    /** For the table of commands; runs another one. */
    public HostileGuest() {
        this(null, null, null);
    }

    private HostileGuest(Domain domain, SplittableRandom random, StopRequest stop) {
        this.domain = domain;
        this.random = random;
        this.stop = stop;
    }

    @Override
    public int run(String[] args, Context context) throws Exception {
        StdinWatch.start(context.in(), context.stop());
        int domid = Integer.parseInt(args[1]);
        DomainOptions options =
                DomainOptions.emulatedGuest(Path.of(args[0]), "VM" + domid).withDomid(domid);
        try (Domain opened = Domains.open(options)) {
            SplittableRandom seeded = new SplittableRandom(Long.parseLong(args[2]));
            HostileGuest guest = new HostileGuest(opened, seeded, context.stop());
            while (!context.stop().requested()) {
                try {
                    guest.round();
                } catch (EthDeviceException | NativeException | XenstoreException e) {
                    // What it broke itself may be in its own way; it begins anew.
                    context.stop().await(REST);
                }
            }
        }
        return ExitStatus.OK;
    }

    private void round() throws InterruptedException {
        RecordingDomain recorded = new RecordingDomain(domain);
        Mempool pool = XenvirtMempools.create(recorded, "hostile", 512, 2048, 0);
        EthDevice device = null;
        try {
            device = EthDrivers.probe("eth_xenvirt0,mac=" + mac(), () -> recorded);
            device.configure(EthConfig.SINGLE_QUEUE);
            device.txQueueSetup(0, 0);
            device.rxQueueSetup(0, 0, pool);
            device.start();
            List<GrantShare> shares = recorded.shares();
            long end = System.nanoTime() + random.nextInt(20, LONGEST_ROUND_MILLIS) * 1_000_000L;
            do {
                for (int i = 0; i < WRITES_AT_ONCE; i++) {
                    scribble(shares.get(random.nextInt(shares.size())).segment());
                }
                if (random.nextInt(20) == 0) {
                    lie();
                }
            } while (System.nanoTime() < end && !stop.await(REST));
        } finally {
            if (device != null) {
                device.close();
            }
            pool.close();
        }
    }

    private String mac() {
        // Now and then that of an honest guest.
        return random.nextInt(4) == 0
                ? "00:00:00:00:00:0" + random.nextInt(1, 5)
                : "02:00:00:00:00:66";
    }

    private void scribble(MemorySegment memory) {
        // Rings and index pages are small: the beginning of a share is more worthwhile.
        long within =
                random.nextBoolean() ? Math.min(memory.byteSize(), 12_288) : memory.byteSize();
        long at = random.nextLong(within);
        switch (random.nextInt(4)) {
            case 0 -> memory.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
            case 1 -> memory.set(ValueLayout.JAVA_SHORT, at & -2, (short) random.nextInt(1024));
            case 2 -> memory.set(ValueLayout.JAVA_INT, at & -4, random.nextInt());
            default -> memory.set(ValueLayout.JAVA_LONG, at & -8, random.nextLong());
        }
    }

    private void lie() {
        List<String> keys = domain.xenstore().directory(KEYS);
        if (!keys.isEmpty()) {
            String key = KEYS + "/" + keys.get(random.nextInt(keys.size()));
            domain.xenstore()
                    .write(
                            key,
                            switch (random.nextInt(4)) {
                                case 0 -> "";
                                case 1 -> Integer.toString(random.nextInt());
                                case 2 -> "552,553,-1,99999999999";
                                default -> "x".repeat(random.nextInt(1, 2000));
                            });
        }
    }
}
