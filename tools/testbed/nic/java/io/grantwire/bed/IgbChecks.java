package io.grantwire.bed;

import io.grantwire.bed.NicUnderTest.Received;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What the igb driver makes of QEMU's igb card, a model of the 82576.
 *
 * <pre>
 *   IgbChecks WHAT CARD BDF [CARD BDF]      WHAT: rss, vmdq, interrupts, line, offloads, statistics, restarts, link, bridge
 * </pre>
 */
public final class IgbChecks {
    private static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};
    private static final int FLOWS = 48;

    private final NicUnderTest nic;
    private boolean failed;

    private IgbChecks(NicUnderTest nic) {
        this.nic = nic;
    }

    public static void main(String[] args) throws Exception {
        try (Wire wire = new Wire(); NicUnderTest nic = new NicUnderTest(args[1], args[2], wire)) {
            IgbChecks checks = new IgbChecks(nic);
            wire.drain(args[1]);
            switch (args[0]) {
                case "rss" -> checks.rss();
                case "vmdq" -> checks.vmdq();
                case "interrupts" -> checks.interrupts();
                case "line" -> checks.line();
                case "offloads" -> checks.offloads();
                case "statistics" -> checks.statistics();
                case "restarts" -> checks.restarts();
                case "link" -> checks.link();
                case "bridge" -> checks.bridge(args[3], args[4]);
                default -> throw new IllegalArgumentException(args[0]);
            }
            nic.device.stop();
            checks.check(nic.pool.inUse() == 0, "no mbuf is left behind");
            System.exit(checks.failed ? 1 : 0);
        }
    }

    private void check(boolean ok, String what) {
        System.out.println((ok ? "PASS " : "FAIL ") + what);
        failed |= !ok;
    }

    // Receive-side scaling.

    private void rss() throws Exception {
        nic.start(new EthConfig(8, 1).withRss(RssConfig.all()), 64);
        int[] table = nic.device.rssTable();
        check(spread(Packets.RSS_KEY, table), "flows are spread as the Toeplitz hash and the table say");
        for (int i = 0; i < table.length; i++) {
            table[i] = (i * 5 + 3) % 8;
        }
        nic.device.setRssTable(table);
        check(spread(Packets.RSS_KEY, table), "another table is kept to");
        byte[] key = new byte[40];
        Arrays.setAll(new Byte[40], i -> key[i] = (byte) (i * 37 + 11));
        nic.device.setRss(new RssConfig(RssConfig.all().types(), key));
        check(spread(key, table), "another key is kept to");
        nic.device.stop();
        nic.start(new EthConfig(16, 1).withRss(RssConfig.all()), 64);
        check(spread(Packets.RSS_KEY, nic.device.rssTable()), "all 16 queues can be used");
    }

    private boolean spread(byte[] key, int[] table) throws Exception {
        boolean right = true;
        boolean[] used = new boolean[16];
        for (int flow = 0; flow < FLOWS; flow++) {
            int protocol = flow % 3 == 0 ? Packets.TCP : flow % 3 == 1 ? Packets.UDP : 1;
            boolean v6 = flow % 2 == 1;
            byte[] frame =
                    v6
                            ? Packets.ipv6(nic.mac, flow * 77, protocol, 1000 + flow, 80, 100)
                            : Packets.ipv4(nic.mac, 0x0a000000 + flow * 31, 0xc0a80101, protocol, 1000 + flow, 80, 100);
            int ports = protocol == 1 ? 0 : 4;
            int hash = v6 ? Packets.toeplitz(key, frame, 22, 32 + ports) : Packets.toeplitz(key, frame, 26, 8 + ports);
            int queue = table[hash & 0x7f];
            nic.inject(frame);
            Received got = nic.receiveOne(16 < table.length ? queues() : 16);
            boolean ok = got != null && got.queue() == queue && got.hash() == hash && (got.flags() & Mbuf.RX_RSS_HASH) != 0;
            if (!ok) {
                System.out.printf("flow %d: hash %08x queue %d expected, there is %s%n", flow, hash, queue, got);
            } else {
                used[queue] = true;
            }
            right &= ok;
        }
        int count = 0;
        for (boolean u : used) {
            count += u ? 1 : 0;
        }
        System.out.println(count + " queues were used by " + FLOWS + " flows");
        return right && count > 3;
    }

    private int queues() {
        return (int) nic.device.xstats().keySet().stream().filter(k -> k.matches("rx_q\\d+_packets")).count();
    }

    // Pools.

    private void vmdq() throws Exception {
        nic.start(new EthConfig(8, 1).withVmdqPools(8), 64);
        byte[][] macs = new byte[8][];
        for (int p = 1; p < 8; p++) {
            macs[p] = new byte[] {0, 0x11, 0x22, 0, 0, (byte) p};
            nic.device.vmdqAssign(p, MacAddress.of(macs[p]), 1000 + p);
        }
        boolean own = true;
        boolean isolated = true;
        for (int p = 1; p < 8; p++) {
            byte[] plain = Packets.frame(macs[p], 60 + p * 150, p);
            Received got = pass(Packets.tagged(plain, 0x6000 | 1000 + p));
            own &= is(got, p, plain) && got.tci() == (0x6000 | 1000 + p) && (got.flags() & Mbuf.RX_VLAN_STRIPPED) != 0;
            // In every other pool's VLAN, in one of nobody, and without any: pool 0's, as it came.
            for (int other = 1; other < 10; other++) {
                byte[] foreign = other == 9 ? plain : Packets.tagged(plain, 1000 + other);
                if (other != p) {
                    boolean ok = is(pass(foreign), 0, foreign);
                    if (!ok) {
                        System.out.println("pool " + p + "'s address, VLAN " + (other == 9 ? "none" : 1000 + other));
                    }
                    isolated &= ok;
                }
            }
        }
        check(own, "each of seven pools gets the frames of its address and VLAN, without the tag");
        check(isolated, "no pool gets a frame of its address in another VLAN, or in none");
        byte[] stranger = Packets.frame(new byte[] {2, 9, 9, 9, 9, 9}, 100, 1);
        check(
                is(pass(stranger), 0, stranger) && is(pass(Packets.tagged(stranger, 1003)), 0, Packets.tagged(stranger, 1003)),
                "frames for an unknown address go to pool 0");
        byte[] group = Packets.frame(BROADCAST, 100, 2);
        byte[] multicast = Packets.frame(new byte[] {1, 0, 0x5e, 1, 2, 3}, 100, 3);
        check(
                is(pass(group), 0, group)
                        && is(pass(Packets.tagged(group, 1003)), 0, Packets.tagged(group, 1003))
                        && is(pass(multicast), 0, multicast),
                "group frames go to pool 0, and only there");
        nic.device.setVlanFilter(77, true);
        check(is(pass(Packets.tagged(group, 77)), 0, Packets.tagged(group, 77)), "those of a listed VLAN as well");
        nic.device.vmdqRelease(3);
        byte[] released = Packets.tagged(Packets.frame(macs[3], 100, 4), 1003);
        check(is(pass(released), 0, released), "a released pool gets nothing any more");
        nic.device.vmdqAssign(3, MacAddress.of(macs[3]), 2003);
        byte[] again = Packets.frame(macs[3], 100, 5);
        check(is(pass(Packets.tagged(again, 2003)), 3, again), "and can be assigned anew");
        int m = nic.mbuf(stranger);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 1234);
        check(Arrays.equals(Packets.tagged(stranger, 1234), nic.send(0, m)), "tags are inserted with pools, too");
        // One full pool, the others go on. The last frame comes after all others, which its own pool, polled alone, tells.
        for (int i = 0; i < 80; i++) {
            nic.inject(Packets.tagged(Packets.frame(macs[1], 60, i), 1001));
        }
        nic.inject(Packets.tagged(Packets.frame(macs[2], 60, 99), 1002));
        int[] last = new int[2];
        int taken = 0;
        for (long end = System.nanoTime() + 10_000_000_000L; taken == 0 && System.nanoTime() < end; ) {
            taken = nic.device.rxBurst(2, last, 0, 2);
        }
        Mempool.freeBulk(last, 0, taken);
        List<Received> all = nic.receive(8, 80, 1000);
        // The ring is filled up in batches: it need not have had all of its 63 buffers.
        check(
                taken == 1 && all.stream().allMatch(r -> r.queue() == 1) && all.size() >= 48 && all.size() <= 63,
                "a pool without buffers loses its own frames only: " + all.size() + " of 80 there, those of the others are there");
    }

    private Received pass(byte[] frame) throws Exception {
        nic.inject(frame);
        return nic.receiveOne(8);
    }

    private static boolean is(Received got, int queue, byte[] bytes) {
        boolean ok = got != null && got.queue() == queue && Arrays.equals(got.bytes(), bytes);
        if (!ok) {
            System.out.println("expected in queue " + queue + ", there is " + got);
        }
        return ok;
    }

    // Interrupts.

    private void interrupts() throws Exception {
        nic.start(new EthConfig(4, 1).withVmdqPools(4), 64);
        for (int q = 0; q < 4; q++) {
            byte[] mac = {0, 0x11, 0x22, 0, 0, (byte) q};
            byte[] frame = Packets.frame(mac, 60, q);
            if (q > 0) {
                nic.device.vmdqAssign(q, MacAddress.of(mac), 100 + q);
                frame = Packets.tagged(frame, 100 + q);
            }
            check(wakes(q, frame), "a thread that waits for queue " + q + " is woken by its frame, again and again");
        }
    }

    private void line() throws Exception {
        nic.start(EthConfig.SINGLE_QUEUE, 64);
        check(wakes(0, Packets.frame(nic.mac, 60, 1)), "a thread that waits is woken by the interrupt line, again and again");
    }

    private boolean wakes(int queue, byte[] frame) throws Exception {
        if (nic.device.awaitRx(queue, Duration.ofMillis(50))) {
            System.out.println("woken by nothing");
            return false;
        }
        for (int i = 0; i < 5; i++) {
            CompletableFuture<Boolean> woken = CompletableFuture.supplyAsync(() -> nic.device.awaitRx(queue, Duration.ofSeconds(10)));
            Thread.sleep(50);
            if (woken.isDone()) {
                System.out.println("round " + i + ": it did not wait");
                return false;
            }
            nic.inject(frame);
            long begin = System.nanoTime();
            if (!woken.get(20, TimeUnit.SECONDS)) {
                System.out.println("round " + i + ": not woken in time");
                return false;
            }
            System.out.println("woken within " + (System.nanoTime() - begin) / 1000 + " us");
            if (nic.receive(queue + 1, 1, 1000).size() != 1) {
                System.out.println("round " + i + ": woken, but no frame");
                return false;
            }
        }
        return true;
    }

    // Offloads.

    private void offloads() throws Exception {
        Set<EthOffload> all = EnumSet.complementOf(EnumSet.of(EthOffload.RX_VLAN_FILTER));
        nic.start(EthConfig.SINGLE_QUEUE.withOffloads(all).withMtu(9000), 128);
        byte[] plain = Packets.frame(nic.mac, 100, 1);
        nic.inject(Packets.tagged(plain, 0x4005));
        Received got = nic.receiveOne(1);
        check(got != null && Arrays.equals(got.bytes(), plain) && got.tci() == 0x4005, "a tag is taken off and told of");
        byte[] tcp = Packets.ipv4(nic.mac, 0x0a000001, 0x0a000002, Packets.TCP, 1, 2, 300);
        int good = Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_GOOD;
        byte[] badIp = tcp.clone();
        badIp[25] ^= 1;
        byte[] badTcp = tcp.clone();
        badTcp[200] ^= 1;
        check(
                flags(tcp) == good
                        && flags(badIp) == (Mbuf.RX_IP_CKSUM_BAD | Mbuf.RX_L4_CKSUM_GOOD)
                        && flags(badTcp) == (Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_BAD)
                        && flags(Packets.ipv4(nic.mac, 1, 2, Packets.UDP, 3, 4, 301)) == good,
                "the checksums of received packets are judged");
        boolean right = true;
        for (int size : new int[] {64, 65, 300, 1514, 4001, 9000}) {
            for (int protocol : new int[] {Packets.TCP, Packets.UDP}) {
                byte[] v4 = Packets.ipv4(BROADCAST, 0x0a000001, 0x0a000002, protocol, 5, 6, size);
                byte[] v6 = Packets.ipv6(BROADCAST, 7, protocol, 5, 6, Math.max(size, 80));
                int l4 = protocol == Packets.TCP ? Mbuf.TX_TCP_CKSUM : Mbuf.TX_UDP_CKSUM;
                boolean ok = Arrays.equals(v4, sendWithout(v4, Mbuf.TX_IPV4 | Mbuf.TX_IP_CKSUM | l4, 20))
                        && Arrays.equals(v6, sendWithout(v6, Mbuf.TX_IPV6 | l4, 40));
                if (!ok) {
                    System.out.println("protocol " + protocol + ", " + size + " bytes");
                }
                right &= ok;
            }
        }
        check(right, "the card fills in IPv4, TCP and UDP checksums, over IPv6 too, in frames of several mbufs too");
        int m = nic.mbuf(plain);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 0x2abc);
        check(Arrays.equals(Packets.tagged(plain, 0x2abc), nic.send(0, m)), "the card inserts tags");
        nic.device.setVlanStrip(false);
        nic.inject(Packets.tagged(plain, 5));
        got = nic.receiveOne(1);
        check(got != null && Arrays.equals(got.bytes(), Packets.tagged(plain, 5)), "tags stay when they are to");
        m = nic.mbuf(plain);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 0x2abc);
        check(Arrays.equals(Packets.tagged(plain, 0x2abc), nic.send(0, m)), "and are still inserted");
    }

    private int flags(byte[] frame) throws Exception {
        nic.inject(frame);
        Received got = nic.receiveOne(1);
        return got == null ? -1 : got.flags();
    }

    /** Sends a packet whose checksums are wrong, and asks for right ones. */
    private byte[] sendWithout(byte[] packet, int flags, int l3) throws Exception {
        byte[] wrong = packet.clone();
        if ((flags & Mbuf.TX_IP_CKSUM) != 0) {
            Packets.put16(wrong, 24, 0xdead);
        }
        Packets.put16(wrong, 14 + l3 + ((flags & Mbuf.TX_TCP_CKSUM) != 0 ? 16 : 6), 0xbeef);
        int m = nic.mbuf(wrong);
        Mbuf.setOlFlags(m, flags);
        Mbuf.setTxHeaders(m, 14, l3);
        return nic.send(0, m);
    }

    // Statistics.

    private void statistics() throws Exception {
        nic.start(EthConfig.SINGLE_QUEUE.withMtu(9000).withOffloads(Set.of(EthOffload.RX_SCATTER)), 128);
        nic.device.resetStats();
        int[] sizes = {60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514, 9000};
        long bytes = 0;
        for (int round = 0; round < 3; round++) {
            for (int size : sizes) {
                nic.inject(Packets.frame(round == 0 ? BROADCAST : nic.mac, size, size));
                bytes += size;
                nic.receiveOne(1);
                nic.send(0, nic.mbuf(Packets.frame(BROADCAST, size, size)));
            }
        }
        int frames = 3 * sizes.length;
        EthStats stats = nic.device.stats();
        check(
                stats.ipackets() == frames && stats.opackets() == frames && stats.ibytes() == bytes && stats.obytes() == bytes,
                "the driver counts what was sent: " + stats);
        Map<String, Long> x = nic.device.xstats();
        check(
                x.get("rx_mac_good_packets") == frames
                        && x.get("rx_mac_good_bytes") == bytes
                        && x.get("tx_mac_good_packets") == frames
                        && x.get("tx_mac_good_bytes") == bytes,
                "the card counts the same: " + x);
        // PTC64 and the others count with the CRC (82576 datasheet, 8.19).
        check(
                x.get("rx_broadcast_packets") == sizes.length
                        && x.get("tx_broadcast_packets") == frames
                        && x.get("tx_size_64_packets") == 3
                        && x.get("tx_size_65_to_127_packets") == 6
                        && x.get("tx_size_512_to_1023_packets") == 6
                        && x.get("tx_size_1024_to_max_packets") == 9
                        // QEMU's model sorts received frames by their size without CRC when it takes that off, where PRC64 should count as
                        // PTC64 does.
                        && x.get("rx_size_1024_to_max_packets") == 6
                        && stats.ierrors() + stats.imissed() + stats.oerrors() == 0,
                "by size and kind as well, and no errors");
    }

    // Life.

    private static long status(String field) throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(l -> l.startsWith(field + ":"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElse(0);
    }

    private static long files() throws Exception {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    private void restarts() throws Exception {
        long locked = -1;
        long descriptors = -1;
        int good = 0;
        for (int i = 0; i < 50; i++) {
            nic.start(new EthConfig(2, 2), 256);
            byte[] in = Packets.frame(nic.mac, 60 + i, i);
            nic.inject(in);
            Received got = nic.receiveOne(2);
            byte[] out = Packets.frame(BROADCAST, 100 + i, i);
            good += got != null && Arrays.equals(got.bytes(), in) && Arrays.equals(nic.send(1, nic.mbuf(out)), out) ? 1 : 0;
            nic.device.stop();
            if (i == 2) {
                locked = status("VmLck");
                descriptors = files();
            }
        }
        check(good == 50, good + " of 50 restarts received and sent a frame");
        check(status("VmLck") <= locked, "no memory stays locked: " + locked + " kB after 3 restarts, " + status("VmLck") + " after 50");
        check(files() <= descriptors, "no descriptor stays open: " + descriptors + ", " + files());
    }

    private void link() throws Exception {
        nic.wire.link(nic.card, false);
        nic.device.configure(EthConfig.SINGLE_QUEUE);
        nic.device.rxQueueSetup(0, 64, nic.pool);
        nic.device.txQueueSetup(0, 64);
        nic.device.start();
        Thread.sleep(1500);
        check(!nic.device.link().up(), "a card without a cable starts, its link is down");
        nic.wire.link(nic.card, true);
        check(nic.awaitLink(true), "the link comes when the cable does: " + nic.device.link());
        nic.inject(Packets.frame(nic.mac, 80, 1));
        check(nic.receiveOne(1) != null, "and frames with it");
        nic.wire.link(nic.card, false);
        check(nic.awaitLink(false), "the link goes with the cable");
        nic.wire.link(nic.card, true);
        check(nic.awaitLink(true), "and comes back");
    }

    // Two cards.

    private void bridge(String otherCard, String otherBdf) throws Exception {
        try (NicUnderTest other = new NicUnderTest(otherCard, otherBdf, nic.wire)) {
            EthConfig config = EthConfig.SINGLE_QUEUE.withMtu(9000).withOffloads(Set.of(EthOffload.RX_SCATTER, EthOffload.TX_MULTI_SEGS));
            nic.device.setPromiscuous(true);
            other.device.setPromiscuous(true);
            nic.start(config, 128);
            other.start(config, 128);
            nic.wire.drain(otherCard);
            nic.wire.drain(nic.card);
            check(forward(nic, other) == 300, "300 frames of 60 to 9,000 bytes from " + nic.card + " to " + otherCard);
            check(forward(other, nic) == 300, "300 frames of 60 to 9,000 bytes from " + otherCard + " to " + nic.card);
            // Each may still have frames of the other's pool in its transmit ring.
            nic.device.stop();
            other.device.stop();
            check(other.pool.inUse() == 0, "no mbuf is left behind at " + otherCard);
        }
    }

    private static int forward(NicUnderTest from, NicUnderTest to) throws Exception {
        int good = 0;
        int[] burst = new int[8];
        for (int i = 0; i < 300; i++) {
            byte[] frame = Packets.frame(new byte[] {2, 1, 2, 3, 4, (byte) i}, 60 + i * 8940 / 299, i);
            from.inject(frame);
            long end = System.nanoTime() + 2_000_000_000L;
            int n = 0;
            while (n == 0 && System.nanoTime() < end) {
                n = from.device.rxBurst(0, burst, 0, burst.length);
            }
            int sent = to.device.txBurst(0, burst, 0, n);
            for (int k = sent; k < n; k++) {
                Mbuf.free(burst[k]);
            }
            good += Arrays.equals(frame, to.wire.take(to.card, 2000)) ? 1 : 0;
        }
        return good;
    }
}
