package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;

/** Transmits into a file that cannot grow beyond a limit, and prints what the device says. */
final class FullDiskProgram {
    private FullDiskProgram() {}

    public static void main(String[] args) {
        Mempool pool = Mempool.create(MempoolConfig.of("t", 256));
        PcapDevice d = (PcapDevice) EthDrivers.probe("net_pcap0,tx_pcap=" + args[0], () -> null);
        d.configure(EthConfig.SINGLE_QUEUE);
        d.rxQueueSetup(0, 0, pool);
        d.txQueueSetup(0, 0);
        d.start();
        int[] burst = new int[32];
        long accepted = 0;
        while (d.ioError().isEmpty() && accepted < 1_000_000) {
            pool.allocBulk(burst, 0, 32);
            for (int m : burst) {
                Mbuf.append(m, 1000);
            }
            int n = d.txBurst(0, burst, 0, 32);
            accepted += n;
            Mempool.freeBulk(burst, n, 32 - n);
        }
        pool.allocBulk(burst, 0, 1);
        boolean refused = d.txBurst(0, burst, 0, 1) == 0;
        Mempool.freeBulk(burst, 0, 1);
        System.out.println("error: " + d.ioError().orElse("none"));
        System.out.println("accepted: " + accepted);
        System.out.println("refused: " + refused);
        System.out.println("errors: " + d.stats().oerrors());
        System.out.println("link up: " + d.link().up());
        d.close();
        System.out.println("left out: " + pool.inUse());
        pool.close();
    }
}
