package io.grantwire.bed;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
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
 *   NicChecks CARD DEVICE WHAT…           CARD: its name in the bed; DEVICE: what EthDrivers probes; WHAT: one or more of
 *       statistics vlan checksum wake rss restart
 *   NicChecks CARD DEVICE bridge CARD DEVICE
 * </pre>
 */
public final class NicChecks {
    private static final int HEADER = 14;
    private static final int MBUFS = 2048;
    private static final long PATIENCE_NANOS = 20_000_000_000L;
    private static final int RESTARTS = 50;

    private final String card;
    private final EthDevice device;
    private final Wire wire;
    private final int[] burst = new int[32];
    private Mempool pool;
    private static boolean failed;

    private NicChecks(String card, String name, Wire wire) {
        this.card = card;
        this.wire = wire;
        this.device = EthDrivers.probe(name, () -> {
            throw new IllegalStateException("no domain here");
        });
    }

    public static void main(String[] args) throws Exception {
        try (Wire wire = new Wire()) {
            NicChecks checks = new NicChecks(args[0], args[1], wire);
            if (args[2].equals("bridge")) {
                checks.bridge(new NicChecks(args[3], args[4], wire));
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
            checks.device.close();
        }
        System.exit(failed ? 1 : 0);
    }

    private static void check(boolean ok, String what) {
        System.out.println((ok ? "PASS " : "FAIL ") + what);
        failed |= !ok;
    }

    // A started card, and frames through it.

    private void makePool() {
        if (pool == null) {
            pool = Mempool.create(MempoolConfig.of("checks-" + card, MBUFS).withSource(device.packetMemory()));
        }
    }

    private void start(EthConfig config) throws Exception {
        makePool();
        device.configure(config);
        for (int q = 0; q < config.rxQueues(); q++) {
            device.rxQueueSetup(q, 0, pool);
        }
        for (int q = 0; q < config.txQueues(); q++) {
            device.txQueueSetup(q, 0);
        }
        device.start();
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!device.link().up()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("no link");
            }
            Thread.sleep(5);
        }
        wire.drain(card);
    }

    private void stop(String what) {
        device.stop();
        check(pool.inUse() == 0, what + ": no mbuf is left behind, of " + pool.inUse() + " in use");
    }

    /** Waits for one frame of a queue; 0 when none comes. */
    private int receive(int queue) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (System.nanoTime() < end) {
            if (device.rxBurst(queue, burst, 0, 1) == 1) {
                return burst[0];
            }
            Thread.onSpinWait();
        }
        return 0;
    }

    private void transmit(int queue, int mbuf) {
        burst[0] = mbuf;
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (device.txBurst(queue, burst, 0, 1) == 0) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("the card takes no frame");
            }
        }
    }

    private int mbuf(byte[] frame) {
        int m = pool.allocChain(frame.length);
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(frame, at, Mbuf.segment(s), ValueLayout.JAVA_BYTE, Mbuf.offset(s), Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
        }
        return m;
    }

    private static byte[] bytes(int m) {
        byte[] frame = new byte[Mbuf.pktLen(m)];
        int at = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            MemorySegment.copy(Mbuf.segment(s), ValueLayout.JAVA_BYTE, Mbuf.offset(s), frame, at, Mbuf.dataLen(s));
            at += Mbuf.dataLen(s);
        }
        return frame;
    }

    private byte[] frame(int length, int seed) {
        byte[] frame = new byte[length];
        for (int i = 0; i < length; i++) {
            frame[i] = (byte) (seed * 31 + i * 7);
        }
        ByteBuffer.wrap(frame).put(device.macAddress().bytes()).put(new byte[] {2, 0, 0, 0, 0, 1}).putShort((short) 0x88b5);
        return frame;
    }

    private static byte[] tagged(byte[] frame, int tci) {
        return ByteBuffer.allocate(frame.length + 4).put(frame, 0, 12).putShort((short) 0x8100).putShort((short) tci)
                .put(frame, 12, frame.length - 12).array();
    }

    // The checks.

    /** What the card itself has counted, if it does, and what the driver has. */
    private void statistics() throws Exception {
        start(EthConfig.SINGLE_QUEUE);
        device.resetStats();
        long in = 0;
        long out = 0;
        for (int i = 0; i < 100; i++) {
            byte[] frame = frame(60 + 14 * i, i);
            wire.send(card, frame);
            Mbuf.free(receive(0));
            in += frame.length;
            if (i % 2 == 0) {
                transmit(0, mbuf(frame));
                out += frame.length;
            }
        }
        EthStats stats = device.stats();
        boolean same = stats.ipackets() == 100 && stats.ibytes() == in && stats.opackets() == 50 && stats.obytes() == out;
        check(same && stats.ierrors() == 0 && stats.oerrors() == 0 && stats.imissed() == 0, "statistics: " + stats);
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
        byte[] frame = frame(100, 1);
        wire.send(card, tagged(frame, 0x6064));
        int m = receive(0);
        int flags = Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED;
        check(m != 0 && Arrays.equals(bytes(m), frame) && Mbuf.vlanTci(m) == 0x6064 && (Mbuf.olFlags(m) & flags) == flags, "a tag is stripped");
        Mbuf.free(m);
        m = mbuf(frame);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 0x07D0);
        transmit(0, m);
        check(Arrays.equals(wire.take(card, 5000), tagged(frame, 0x07D0)), "a tag is inserted");
        device.setVlanStrip(false);
        wire.send(card, tagged(frame, 7));
        m = receive(0);
        check(m != 0 && Arrays.equals(bytes(m), tagged(frame, 7)), "a tag stays when it is to stay");
        Mbuf.free(m);
        m = mbuf(frame);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 8);
        transmit(0, m);
        check(Arrays.equals(wire.take(card, 5000), tagged(frame, 8)), "… and is inserted all the same");
        stop("vlan");
        if (device.capabilities().offloads().contains(EthOffload.RX_VLAN_FILTER)) {
            start(EthConfig.SINGLE_QUEUE.withOffloads(EnumSet.of(EthOffload.RX_VLAN_FILTER)));
            device.setVlanFilter(100, true);
            wire.send(card, tagged(frame(100, 2), 101));
            wire.send(card, tagged(frame(100, 3), 100));
            m = receive(0);
            check(m != 0 && Arrays.equals(bytes(m), tagged(frame(100, 3), 100)), "frames of VLANs that are not listed are not received");
            Mbuf.free(m);
            stop("vlan filter");
        }
    }

    private void checksum() throws Exception {
        EnumSet<EthOffload> wanted =
                EnumSet.of(EthOffload.TX_IPV4_CKSUM, EthOffload.TX_TCP_CKSUM, EthOffload.TX_UDP_CKSUM, EthOffload.RX_CHECKSUM);
        wanted.retainAll(device.capabilities().offloads());
        start(EthConfig.SINGLE_QUEUE.withOffloads(wanted));
        for (boolean tcp : new boolean[] {true, false}) {
            String kind = tcp ? "TCP" : "UDP";
            byte[] right = ipv4(tcp, 0x0A000001, 1000, 77, true);
            if (wanted.contains(EthOffload.TX_TCP_CKSUM)) {
                int m = mbuf(ipv4(tcp, 0x0A000001, 1000, 77, false));
                Mbuf.setTxHeaders(m, HEADER, 20);
                Mbuf.setOlFlags(m, Mbuf.TX_IPV4 | Mbuf.TX_IP_CKSUM | (tcp ? Mbuf.TX_TCP_CKSUM : Mbuf.TX_UDP_CKSUM));
                transmit(0, m);
                check(Arrays.equals(wire.take(card, 5000), right), kind + " and IPv4 checksums are filled in");
            } else {
                System.out.println("the card fills in no " + kind + " checksums");
            }
            if (wanted.contains(EthOffload.RX_CHECKSUM) && device.info().driverName().startsWith("net_e1000")) {
                byte[] wrong = right.clone();
                wrong[wrong.length - 1]++;
                check(received(right, Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_GOOD), kind + " that is right is found so");
                check(received(wrong, Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_BAD), kind + " that is wrong is found so");
            }
        }
        stop("checksum");
    }

    private boolean received(byte[] frame, int flags) throws IOException {
        wire.send(card, frame);
        int m = receive(0);
        boolean ok = m != 0 && Arrays.equals(bytes(m), frame) && (Mbuf.olFlags(m) & flags) == flags;
        Mbuf.free(m);
        return ok;
    }

    private byte[] ipv4(boolean tcp, int source, int port, int payload, boolean finished) {
        int l4 = (tcp ? 20 : 8) + payload;
        ByteBuffer b = ByteBuffer.allocate(HEADER + 20 + l4);
        b.put(device.macAddress().bytes()).put(new byte[] {2, 0, 0, 0, 0, 1}).putShort((short) 0x0800);
        b.put((byte) 0x45).put((byte) 0).putShort((short) (20 + l4)).putInt(0).put((byte) 64).put((byte) (tcp ? 6 : 17)).putShort((short) 0);
        b.putInt(source).putInt(0x0A000002).putShort((short) port).putShort((short) 80);
        if (tcp) {
            b.putInt(1).putInt(2).putShort((short) 0x5010).putShort((short) 1000).putInt(0);
        } else {
            b.putShort((short) l4).putShort((short) 0);
        }
        while (b.hasRemaining()) {
            b.put((byte) b.position());
        }
        if (finished) {
            b.putShort(HEADER + 10, (short) ~sum(b, HEADER, 20, 0));
            int pseudo = sum(b, HEADER + 12, 8, (tcp ? 6 : 17) + l4);
            b.putShort(HEADER + 20 + (tcp ? 16 : 6), (short) ~sum(b, HEADER + 20, l4, pseudo));
        }
        return b.array();
    }

    private static int sum(ByteBuffer b, int at, int length, int before) {
        int sum = before;
        for (int i = 0; i < length; i++) {
            sum += (b.get(at + i) & 0xff) << (i % 2 == 0 ? 8 : 0);
        }
        while (sum > 0xffff) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
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
                    wire.send(card, frame);
                    return null;
                });
                long begun = System.nanoTime();
                while (!device.awaitRx(0, Duration.ofSeconds(10)) && System.nanoTime() - begun < PATIENCE_NANOS) {
                    Thread.onSpinWait();
                }
                boolean slept = System.nanoTime() - begun > 10_000_000L && System.nanoTime() - begun < 5_000_000_000L;
                int m = receive(0);
                woken += slept && m != 0 && Arrays.equals(bytes(m), frame) ? 1 : 0;
                Mbuf.free(m);
                sending.get();
            }
        }
        check(woken == 20, "wake: " + woken + " of 20 frames woke the thread that waited for them");
        stop("wake");
    }

    /** Where frames of 200 flows go, against a Toeplitz hash computed here, bit by bit. */
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
        int wrong = 0;
        for (int i = 0; i < 200; i++) {
            boolean tcp = i % 3 != 0;
            byte[] frame = ipv4(tcp, 0x0A000000 + i * 7, 1000 + i, 20, true);
            int hash = toeplitz(key, Arrays.copyOfRange(frame, 26, tcp ? 38 : 34));
            int queue = table[hash & table.length - 1];
            wire.send(card, frame);
            int m = receive(queue);
            boolean right = m != 0 && Arrays.equals(bytes(m), frame) && Mbuf.hash(m) == hash && (Mbuf.olFlags(m) & Mbuf.RX_RSS_HASH) != 0;
            wrong += right ? 0 : 1;
            seen[queue]++;
            Mbuf.free(m);
            if (wrong > 3) {
                break;
            }
        }
        check(wrong == 0, "rss: queue and hash of 200 flows as computed, " + wrong + " wrong");
        check(Arrays.stream(seen).allMatch(n -> n >= 100 / queues), "rss: they are spread " + Arrays.toString(seen));
        Arrays.fill(table, queues - 1);
        device.setRssTable(table);
        wire.send(card, ipv4(true, 5, 5, 20, true));
        int m = receive(queues - 1);
        check(m != 0, "rss: a new table takes effect");
        Mbuf.free(m);
        stop("rss");
    }

    private static int toeplitz(byte[] key, byte[] input) {
        int hash = 0;
        for (int bit = 0; bit < input.length * 8; bit++) {
            if ((input[bit / 8] >> 7 - bit % 8 & 1) != 0) {
                for (int i = 0; i < 32; i++) {
                    hash ^= (key[(bit + i) / 8] >> 7 - (bit + i) % 8 & 1) << 31 - i;
                }
            }
        }
        return hash;
    }

    /** Fifty times: configure, start, frames both ways and some left in the rings, stop. */
    private void restart() throws Exception {
        int good = 0;
        List<String> before = List.of();
        for (int i = 0; i < RESTARTS + 1; i++) {
            start(EthConfig.SINGLE_QUEUE);
            byte[] frame = frame(60 + i * 20, i);
            wire.send(card, frame);
            int m = receive(0);
            boolean ok = m != 0 && Arrays.equals(bytes(m), frame);
            transmit(0, m);
            ok &= Arrays.equals(wire.take(card, 5000), frame);
            for (int k = 0; k < 3; k++) {
                wire.send(card, frame);
            }
            device.stop();
            good += ok && pool.inUse() == 0 ? 1 : 0;
            if (i == 0) {
                before = memory();
            }
        }
        check(good == RESTARTS + 1, "restart: " + good + " of " + (RESTARTS + 1) + " times traffic flowed, and no mbuf was left");
        List<String> after = memory();
        check(before.equals(after), "restart: no mapping is left: " + before + " before, " + after + " after " + RESTARTS + " times");
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
    private void bridge(NicChecks other) throws Exception {
        // Both pools are there when the cards learn where pools are.
        makePool();
        other.makePool();
        start(EthConfig.SINGLE_QUEUE);
        other.start(EthConfig.SINGLE_QUEUE);
        device.setPromiscuous(true);
        other.device.setPromiscuous(true);
        int good = 0;
        for (int i = 0; i < 200; i++) {
            NicChecks from = i % 2 == 0 ? this : other;
            NicChecks to = i % 2 == 0 ? other : this;
            byte[] frame = frame(60 + i * 7, i);
            wire.send(from.card, frame);
            int m = from.receive(0);
            if (m == 0) {
                break;
            }
            to.transmit(0, m);
            good += Arrays.equals(wire.take(to.card, 5000), frame) ? 1 : 0;
        }
        check(good == 200, "bridge: " + good + " of 200 frames crossed from " + card + " to " + other.card + " and back, unchanged");
        long copied = device.xstats().getOrDefault("tx_q0_copied", 0L) + other.device.xstats().getOrDefault("tx_q0_copied", 0L);
        check(copied == 0, "bridge: no frame was copied on the way, of " + copied);
        device.stop();
        other.device.stop();
        check(pool.inUse() + other.pool.inUse() == 0, "bridge: no mbuf is left behind");
        other.device.close();
    }
}
