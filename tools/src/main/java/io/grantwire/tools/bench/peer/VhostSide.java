package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.tools.bench.PathCase;
import io.grantwire.tools.testpmd.fwd.Engines;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.Stream;
import io.grantwire.vswitch.VhostDevice;

/**
 * An emulated host, and the back end's side of one guest's device with a forwarding engine on it.
 */
final class VhostSide implements Side {
    private static final int DOMID = 1;
    private static final int MBUFS = 16_384;

    private final PeerOptions options;
    private final PathCase pathCase;
    private final EmulatedHost host;
    private final Domain domain;
    private final Mempool pool;
    private final VhostDevice device;
    private final Polling polling;

    VhostSide(PeerOptions options) {
        this.options = options;
        this.pathCase = options.pathCase();
        host = EmulatedHost.start(options.dir);
        domain = Domains.open(DomainOptions.emulatedControl(options.dir));
        pool =
                Mempool.create(
                        MempoolConfig.of("bench", MBUFS)
                                .withSource(MemorySource.hugePagesOrPlain()));
        device = VhostDevice.open(domain, DOMID, 0);
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
        polling = new Polling(options);
    }

    @Override
    public boolean connected() {
        return device.link().up();
    }

    @Override
    public void start() {
        String mode =
                switch (pathCase) {
                    case TO_GUEST -> "txonly";
                    case FROM_GUEST -> "rxonly";
                    default -> "flowgen";
                };
        Stream stream =
                new Stream(
                        0,
                        device,
                        0,
                        device,
                        0,
                        pool,
                        GuestSide.mac(0),
                        StreamSettings.of(options, mode),
                        System.out);
        polling.start(
                "bench-host", new ForwardEngine[] {Engines.find(mode)}, new Stream[] {stream});
    }

    @Override
    public long frames() {
        return pathCase.countedByHost() ? device.stats().ipackets() : device.stats().opackets();
    }

    @Override
    public long firstNanos() {
        return polling.firstNanos();
    }

    @Override
    public long takeWorstGap() {
        return polling.takeWorstGap();
    }

    @Override
    public Throwable failure() {
        return polling.failure();
    }

    @Override
    public void close() {
        polling.close();
        device.close();
        pool.close();
        domain.close();
        host.close();
    }
}
