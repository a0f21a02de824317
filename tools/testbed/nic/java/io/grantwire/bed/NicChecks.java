package io.grantwire.bed;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.Mbuf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What a network card's driver does beyond {@link Exchange}, whichever driver it is; what a card does not have is left out by name.
 *
 * <pre>
 *   NicChecks CARD ADDRESS WHAT…           CARD: its name in the bed; ADDRESS: where it sits; WHAT: one or more of
 *       statistics vlan checksum wake rss restart
 *   NicChecks CARD ADDRESS bridge CARD ADDRESS
 * </pre>
 */
public final class NicChecks {
    private static final int RESTARTS = 50;
    private static final int IPV4_AT = 14;
    private static final int L4_AT = 34;

    private final NicUnderTest nic;
    private final EthDevice device;
    private static boolean failed;

    private NicChecks(NicUnderTest nic) {
        this.nic = nic;
        this.device = nic.device;
    }

    public static void main(String[] args) throws Exception {
        try (Wire wire = new Wire();
                NicUnderTest nic = new NicUnderTest(args[0], args[1], wire)) {
            NicChecks checks = new NicChecks(nic);
            if (args[2].equals("bridge")) {
                try (NicUnderTest other = new NicUnderTest(args[3], args[4], wire)) {
                    checks.bridge(other);
                }
            } else {
                for (String what : Arrays.asList(args).subList(2, args.length)) {
                    switch (what) {
                        case "statistics" -> checks.statistics();
                        case "vlan" -> checks.vlan();
                        case "checksum" -> checks.checksum();
                        case "wake" -> checks.wake();
                        case "rss" -> checks.rss();
                        case "restart" -> checks.restart();
                        default -> throw new IllegalArgumentException(what);
                    }
                }
            }
        }
        System.exit(failed ? 1 : 0);
    }

    private static void check(boolean ok, String what) {
        System.out.println((ok ? "PASS " : "FAIL ") + what);
        failed |= !ok;
    }

    private void start(EthConfig config) throws Exception {
        nic.start(config, 0);
        nic.wire.drain(nic.card);
    }

    private void stop(String what) {
        device.stop();
        check(nic.pool.inUse() == 0, what + ": no mbuf is left behind, of " + nic.pool.inUse() + " in use");
    }

    /** What a frame becomes that arrives; null when it does not come alone. */
    private NicUnderTest.Received pass(byte[] frame) throws IOException {
        nic.inject(frame);
        return nic.receiveOne(1);
    }

    private static boolean is(NicUnderTest.Received got, byte[] frame) {
        return got != null && Arrays.equals(got.bytes(), frame);
    }

    private byte[] frame(int length, int seed) {
        return Packets.frame(nic.mac, length, seed);
    }

    /** Sends a frame with what it asks of the card; what comes out. */
    private byte[] send(byte[] frame, int flags, int tci) throws IOException {
        int m = nic.mbuf(frame);
        Mbuf.setOlFlags(m, flags);
        Mbuf.setVlanTci(m, tci);
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            Mbuf.setTxHeaders(m, IPV4_AT, L4_AT - IPV4_AT);
        }
        return nic.send(0, m);
    }

    // The checks.

    /** What the card itself has counted, if it does, and what the driver has. */
    private void statistics() throws Exception {
        start(EthConfig.SINGLE_QUEUE);
        device.resetStats();
        long in = 0;
        long out = 0;
        int same = 0;
        for (int i = 0; i < 100; i++) {
            byte[] frame = frame(64 + 14 * i, i);
            same += is(pass(frame), frame) ? 1 : 0;
            in += frame.length;
            if (i % 2 == 0) {
                same += Arrays.equals(send(frame, 0, 0), frame) ? 1 : 0;
                out += frame.length;
            }
        }
        check(same == 150, "statistics: " + same + " of 150 frames in and out");
        EthStats stats = device.stats();
        boolean right = stats.ipackets() == 100 && stats.ibytes() == in && stats.opackets() == 50 && stats.obytes() == out;
        check(right && stats.ierrors() == 0 && stats.oerrors() == 0 && stats.imissed() == 0, "statistics: " + stats);
        Map<String, Long> x = device.xstats();
        if (x.containsKey("rx_total_packets")) {
            long sizes = x.keySet().stream().filter(k -> k.startsWith("rx_size_")).mapToLong(x::get).sum();
            check(x.get("rx_total_packets") == 100 && x.get("tx_total_packets") == 50 && sizes == 100, "the card's own counters: "
                    + x.get("rx_total_packets") + " in, " + sizes + " of them by size, " + x.get("tx_total_packets") + " out");
        } else {
            System.out.println("the card has no counters of its own");
        }
        device.resetStats();
        check(device.stats().ipackets() == 0 && device.xstats().getOrDefault("rx_total_packets", 0L) == 0, "reset sets them to zero");
        stop("statistics");
    }

    private void vlan() throws Exception {
        start(EthConfig.SINGLE_QUEUE.withOffloads(EnumSet.of(EthOffload.RX_VLAN_STRIP, EthOffload.TX_VLAN_INSERT)));
        byte[] plain = frame(100, 1);
        NicUnderTest.Received got = pass(Packets.tagged(plain, 0x6064));
        int flags = Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED;
        check(is(got, plain) && got.tci() == 0x6064 && (got.flags() & flags) == flags, "a tag is stripped and told of");
        check(Arrays.equals(send(plain, Mbuf.TX_VLAN, 0x07D0), Packets.tagged(plain, 0x07D0)), "a tag is inserted");
        device.setVlanStrip(false);
        check(is(pass(Packets.tagged(plain, 7)), Packets.tagged(plain, 7)), "a tag stays when it is to stay");
        check(Arrays.equals(send(plain, Mbuf.TX_VLAN, 8), Packets.tagged(plain, 8)), "and is inserted all the same");
        stop("vlan");
        if (device.capabilities().offloads().contains(EthOffload.RX_VLAN_FILTER)) {
            start(EthConfig.SINGLE_QUEUE.withOffloads(EnumSet.of(EthOffload.RX_VLAN_FILTER)));
            device.setVlanFilter(100, true);
            nic.inject(Packets.tagged(plain, 101));
            check(is(pass(Packets.tagged(plain, 100)), Packets.tagged(plain, 100)), "only frames of listed VLANs are received");
            stop("vlan filter");
        }
    }

    private void checksum() throws Exception {
        EnumSet<EthOffload> wanted =
                EnumSet.of(EthOffload.TX_IPV4_CKSUM, EthOffload.TX_TCP_CKSUM, EthOffload.TX_UDP_CKSUM, EthOffload.RX_CHECKSUM);
        wanted.retainAll(device.capabilities().offloads());
        start(EthConfig.SINGLE_QUEUE.withOffloads(wanted));
        for (int protocol : new int[] {Packets.TCP, Packets.UDP}) {
            boolean tcp = protocol == Packets.TCP;
            String kind = tcp ? "TCP" : "UDP";
            byte[] right = Packets.ipv4(nic.mac, 0x0A000001, 0x0A000002, protocol, 1000, 80, 177);
            if (wanted.contains(tcp ? EthOffload.TX_TCP_CKSUM : EthOffload.TX_UDP_CKSUM)) {
                byte[] open = right.clone();
                Packets.put16(open, IPV4_AT + 10, 0x1234);
                Packets.put16(open, L4_AT + (tcp ? 16 : 6), 0x5678);
                int flags = Mbuf.TX_IPV4 | Mbuf.TX_IP_CKSUM | (tcp ? Mbuf.TX_TCP_CKSUM : Mbuf.TX_UDP_CKSUM);
                check(Arrays.equals(send(open, flags, 0), right), kind + " and IPv4 checksums are filled in");
                check(Arrays.equals(send(open, flags | Mbuf.TX_VLAN, 9), Packets.tagged(right, 9)), "behind an inserted tag as well");
            } else {
                System.out.println("the card fills in no " + kind + " checksums");
            }
            if (wanted.contains(EthOffload.RX_CHECKSUM)) {
                byte[] wrong = right.clone();
                wrong[wrong.length - 1]++;
                NicUnderTest.Received good = pass(right);
                NicUnderTest.Received bad = pass(wrong);
                int l4 = Mbuf.RX_L4_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_BAD;
                if (is(good, right) && (good.flags() & l4) == 0) {
                    System.out.println("the card says nothing of received " + kind + " checksums");
                } else {
                    check(is(good, right) && (good.flags() & l4) == Mbuf.RX_L4_CKSUM_GOOD, kind + " that is right is found so");
                    check(is(bad, wrong) && (bad.flags() & l4) == Mbuf.RX_L4_CKSUM_BAD, kind + " that is wrong is found so");
                }
            }
        }
        stop("checksum");
    }

    /** A thread that sleeps is woken by a frame, again and again, and not without one. */
    private void wake() throws Exception {
        start(EthConfig.SINGLE_QUEUE);
        device.awaitRx(0, Duration.ofMillis(50));
        long before = System.nanoTime();
        boolean early = device.awaitRx(0, Duration.ofMillis(300));
        check(!early && System.nanoTime() - before > 250_000_000L, "wake: nothing wakes it without a frame");
        int woken = 0;
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            for (int i = 0; i < 20; i++) {
                byte[] frame = frame(100, i);
                Future<?> sending = executor.submit(() -> {
                    Thread.sleep(30);
                    nic.inject(frame);
                    return null;
                });
                long begun = System.nanoTime();
                boolean came = device.awaitRx(0, Duration.ofSeconds(10));
                long slept = System.nanoTime() - begun;
                sending.get();
                woken += came && slept > 10_000_000L && slept < 9_000_000_000L && is(nic.receiveOne(1), frame) ? 1 : 0;
            }
        }
        check(woken == 20, "wake: " + woken + " of 20 frames woke the thread that waited for them");
        stop("wake");
    }

    /** Where frames of 200 flows go, against a hash that is computed here. */
    private void rss() throws Exception {
        EnumSet<RssType> types = EnumSet.of(RssType.IPV4, RssType.TCP_IPV4);
        int queues = Math.min(4, device.info().maxRxQueues());
        if (!device.capabilities().rssTypes().containsAll(types) || queues < 2) {
            System.out.println("the card has no RSS");
            return;
        }
        byte[] key = new byte[device.capabilities().rssKeySize()];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (i * 37 + 11);
        }
        start(new EthConfig(queues, 1).withRss(new RssConfig(types, key)));
        int[] table = device.rssTable();
        int[] seen = new int[queues];
        int right = 0;
        for (int i = 0; i < 200 && right >= i - 3; i++) {
            boolean tcp = i % 3 != 0;
            byte[] frame = Packets.ipv4(nic.mac, 0x0A000000 + i * 7, 0x0A000002, tcp ? Packets.TCP : Packets.UDP, 1000 + i, 80, 100);
            int hash = Packets.toeplitz(key, frame, 26, tcp ? 12 : 8);
            int queue = table[hash & table.length - 1];
            nic.inject(frame);
            NicUnderTest.Received got = nic.receiveOne(queues);
            boolean hashed = got != null && got.hash() == hash && (got.flags() & Mbuf.RX_RSS_HASH) != 0;
            right += is(got, frame) && got.queue() == queue && hashed ? 1 : 0;
            seen[queue]++;
        }
        check(right == 200, "rss: queue and hash of " + right + " of 200 flows are as computed");
        check(Arrays.stream(seen).allMatch(n -> n >= 100 / queues), "rss: they are spread " + Arrays.toString(seen));
        Arrays.fill(table, queues - 1);
        device.setRssTable(table);
        nic.inject(Packets.ipv4(nic.mac, 5, 6, Packets.TCP, 7, 8, 100));
        NicUnderTest.Received got = nic.receiveOne(queues);
        check(got != null && got.queue() == queues - 1, "rss: a new table takes effect");
        stop("rss");
    }

    /** Fifty times: configure, start, frames both ways and some left in the rings, stop. */
    private void restart() throws Exception {
        int good = 0;
        List<String> before = List.of();
        for (int i = 0; i <= RESTARTS; i++) {
            start(EthConfig.SINGLE_QUEUE);
            byte[] frame = frame(60 + i * 20, i);
            boolean ok = is(pass(frame), frame) && Arrays.equals(send(frame, 0, 0), frame);
            for (int k = 0; k < 3; k++) {
                nic.inject(frame);
            }
            device.stop();
            good += ok && nic.pool.inUse() == 0 ? 1 : 0;
            if (i == 0) {
                before = memory();
            }
        }
        check(good == RESTARTS + 1, "restart: " + good + " of " + (RESTARTS + 1) + " times frames went both ways, and no mbuf was left");
        List<String> after = memory();
        check(before.equals(after), "restart: no mapping is left: " + before + " after the first, " + after + " after " + RESTARTS + " more");
    }

    /** What DMA mappings count as: locked and pinned memory, and huge pages. */
    private static List<String> memory() throws IOException {
        List<String> out = new ArrayList<>();
        for (String file : new String[] {"/proc/self/status", "/proc/meminfo"}) {
            for (String line : Files.readAllLines(Path.of(file))) {
                if (line.matches("(VmLck|VmPin|HugetlbPages|HugePages_Free):.*")) {
                    out.add(line.replaceAll("\\s+", " "));
                }
            }
        }
        return out;
    }

    /** Frames in at either card come out of the other one. */
    private void bridge(NicUnderTest other) throws Exception {
        start(EthConfig.SINGLE_QUEUE);
        other.start(EthConfig.SINGLE_QUEUE, 0);
        other.wire.drain(other.card);
        int good = 0;
        int[] one = new int[1];
        for (int i = 0; i < 200; i++) {
            NicUnderTest from = i % 2 == 0 ? nic : other;
            NicUnderTest to = i % 2 == 0 ? other : nic;
            byte[] frame = Packets.frame(from.mac, 60 + i * 7, i);
            from.inject(frame);
            long end = System.nanoTime() + 5_000_000_000L;
            while (from.device.rxBurst(0, one, 0, 1) == 0 && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            if (one[0] == 0) {
                break;
            }
            good += Arrays.equals(to.send(0, one[0]), frame) ? 1 : 0;
            one[0] = 0;
        }
        check(good == 200, "bridge: " + good + " of 200 frames crossed between " + nic.card + " and " + other.card + ", unchanged");
        long copied = 0;
        for (NicUnderTest each : new NicUnderTest[] {nic, other}) {
            copied += each.device.xstats().getOrDefault("tx_q0_copied", 0L);
        }
        check(copied == 0, "bridge: no frame was copied on the way, of " + copied);
        device.stop();
        other.device.stop();
        check(nic.pool.inUse() + other.pool.inUse() == 0, "bridge: no mbuf is left behind");
    }
}
