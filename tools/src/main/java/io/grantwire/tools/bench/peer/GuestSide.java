package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.bench.PathCase;
import io.grantwire.tools.testpmd.fwd.Engines;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.Stream;
import java.util.ArrayList;
import java.util.List;

/** Guests with a xenvirt device each and forwarding engines on them, polled by one thread. */
final class GuestSide implements Side {
    /** What flowgen sends to: the receiver between guests. */
    private static final long FLOWGEN_MAC = 0x0001_0203_0401L;

    private static final long FIRST_MAC = 0x0200_0000_1100L;
    private static final int MBUFS = 2048;

    /** Many guests have a pool each, as small as a ring needs. */
    private static final int MBUFS_OF_MANY = 512;

    private static final int CACHE = 256;
    private static final int CACHE_OF_MANY = 64;
    private static final int MANY = 4;

    private record Guest(Domain domain, Mempool pool, EthDevice device) {}

    private final PeerOptions options;
    private final PathCase pathCase;
    private final List<Guest> guests = new ArrayList<>();
    private final Polling polling;

    GuestSide(PeerOptions options) {
        this.options = options;
        this.pathCase = options.pathCase();
        for (int i = 0; i < options.guests; i++) {
            guests.add(open(i));
        }
        polling = new Polling(options);
    }

    private Guest open(int i) {
        boolean many = options.guests > MANY;
        Domain domain =
                Domains.open(
                        new DomainOptions(
                                DomainOptions.Mode.EMULATED, options.dir, i + 1, "bench" + i));
        Mempool pool =
                XenvirtMempools.create(
                        domain,
                        "bench" + i,
                        many ? MBUFS_OF_MANY : MBUFS,
                        Mempool.DEFAULT_DATA_ROOM,
                        many ? CACHE_OF_MANY : CACHE);
        boolean receiver = pathCase == PathCase.GUEST_TO_GUEST && !options.scale && i == 1;
        String mac = MacAddress.format(receiver ? FLOWGEN_MAC : mac(i));
        EthDevice device = EthDrivers.probe("eth_xenvirt0,mac=" + mac, () -> domain);
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
        return new Guest(domain, pool, device);
    }

    /** The address of a guest's device. */
    static long mac(int guest) {
        return FIRST_MAC + guest;
    }

    @Override
    public boolean connected() {
        return guests.stream().allMatch(g -> g.device.link().up());
    }

    @Override
    public void start() {
        List<ForwardEngine> engines = new ArrayList<>();
        List<Stream> streams = new ArrayList<>();
        String mode =
                switch (pathCase) {
                    case FROM_GUEST -> "txonly";
                    case TO_GUEST -> "rxonly";
                    case ROUND_TRIP -> "mac";
                    case GUEST_TO_GUEST -> options.scale ? "rxonly" : "flowgen";
                };
        if (mode.equals("flowgen")) {
            engines.add(Engines.find(mode));
            streams.add(stream(mode, guests.get(1), guests.get(0)));
        } else {
            for (Guest guest : guests) {
                engines.add(Engines.find(mode));
                streams.add(stream(mode, guest, guest));
            }
        }
        polling.start(
                "bench-guest",
                engines.toArray(ForwardEngine[]::new),
                streams.toArray(Stream[]::new));
    }

    private Stream stream(String mode, Guest receiver, Guest sender) {
        return new Stream(
                0,
                receiver.device,
                0,
                sender.device,
                0,
                sender.pool,
                mac(options.guests),
                StreamSettings.of(options, mode),
                System.out);
    }

    @Override
    public long frames() {
        boolean sent = pathCase == PathCase.FROM_GUEST;
        long sum = 0;
        for (Guest g : guests) {
            sum += sent ? g.device.stats().opackets() : g.device.stats().ipackets();
        }
        return sum;
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
        for (Guest g : guests.reversed()) {
            g.device.close();
            g.pool.close();
            g.domain.close();
        }
    }
}
