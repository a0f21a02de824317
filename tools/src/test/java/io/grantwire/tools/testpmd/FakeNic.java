package io.grantwire.tools.testpmd;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthDriver;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * A network card made of byte arrays, with what cards do in hardware: queues, RSS by a sum that a
 * test can foretell, address and VLAN filters, tags off and on, checksums in both directions.
 * {@code net_fakenic0} makes one; tests reach it by its name.
 */
final class FakeNic extends AbstractEthDevice {
    static final int TABLE = 128;
    static final int KEY = 40;
    private static final Map<String, FakeNic> ALL = new ConcurrentHashMap<>();
    private static final String PREFIX = "net_fakenic";

    /** A frame as the hardware hands it over. */
    private record Received(byte[] frame, int flags, int tci, int hash) {}

    /** The packet memory it was asked for, to see that its own is used. */
    final AtomicInteger allocations = new AtomicInteger();

    /** How often it was configured, and the last time how. */
    final List<EthConfig> configs = new ArrayList<>();

    private final boolean scatters;
    private final Set<Integer> vlans = new TreeSet<>();
    private final List<MacAddress> more = new ArrayList<>();
    private final Queue<byte[]> wire = new ConcurrentLinkedQueue<>();
    private List<Queue<Received>> queues = List.of();
    private Mempool[] pools = new Mempool[0];
    private int[] table = new int[TABLE];
    private RssConfig rss = RssConfig.OFF;
    private EthConfig config = EthConfig.SINGLE_QUEUE;
    private boolean strip;
    private volatile boolean up = true;

    private FakeNic(String name, boolean scatters) {
        super(name, MacAddress.parse("02:00:00:00:00:a0"));
        this.scatters = scatters;
    }

    /** Makes the driver known, once. */
    static void register() {
        if (EthDrivers.prefixes().contains(PREFIX)) {
            return;
        }
        EthDrivers.register(
                new EthDriver() {
                    @Override
                    public List<String> prefixes() {
                        return List.of(PREFIX);
                    }

                    @Override
                    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
                        FakeNic nic = new FakeNic(args.name(), args.getFlag("scatter", true));
                        ALL.put(args.name(), nic);
                        return nic;
                    }
                });
    }

    /** The card that was made last under a name. */
    static FakeNic named(String name) {
        return ALL.get(name);
    }

    // The wire.

    /** A frame comes in from the wire. */
    void arrive(byte[] frame) {
        long dst = ByteBuffer.wrap(frame).getLong() >>> 16;
        boolean mine =
                macAddresses().stream().anyMatch(mac -> mac.value() == dst)
                        || (dst & MacAddress.GROUP_BIT) != 0
                        || promiscuous();
        int type = be16(frame, 12);
        if (!mine
                || type == 0x8100
                        && config.has(EthOffload.RX_VLAN_FILTER)
                        && !vlans.contains(be16(frame, 14) & 0xfff)) {
            return;
        }
        int flags = 0;
        int tci = 0;
        byte[] kept = frame;
        if (type == 0x8100) {
            flags |= Mbuf.RX_VLAN;
            tci = be16(frame, 14);
            if (strip) {
                flags |= Mbuf.RX_VLAN_STRIPPED;
                kept = new byte[frame.length - 4];
                System.arraycopy(frame, 0, kept, 0, 12);
                System.arraycopy(frame, 16, kept, 12, frame.length - 16);
            }
        }
        int hash = 0;
        if (be16(kept, 12) == 0x0800) {
            if (config.has(EthOffload.RX_CHECKSUM)) {
                flags |= sum(kept, 14, 20) == 0xffff ? Mbuf.RX_IP_CKSUM_GOOD : Mbuf.RX_IP_CKSUM_BAD;
            }
            boolean ports = kept[23] == 17 && rss.types().contains(RssType.UDP_IPV4);
            if (ports || rss.types().contains(RssType.IPV4)) {
                hash = hash(kept, ports);
                flags |= Mbuf.RX_RSS_HASH;
            }
        }
        int queue = (flags & Mbuf.RX_RSS_HASH) != 0 ? table[hash % TABLE] : 0;
        queues.get(queue).add(new Received(kept, flags, tci, hash));
    }

    /** The last bytes of the addresses added up, and of the ports. */
    private static int hash(byte[] frame, boolean ports) {
        int hash = (frame[29] & 0xff) + (frame[33] & 0xff);
        return ports ? hash + (frame[35] & 0xff) + (frame[37] & 0xff) : hash;
    }

    /** The next frame that went out to the wire, or null. */
    byte[] left() {
        return wire.poll();
    }

    int leftCount() {
        return wire.size();
    }

    // The device.

    @Override
    public EthDeviceInfo info() {
        return new EthDeviceInfo(
                "net_fakenic", 8, 8, 32, 4096, 32, 4096, 8, 9018, 68, 9000, 16, true, false);
    }

    @Override
    public EthCapabilities capabilities() {
        EnumSet<EthOffload> offloads = EnumSet.allOf(EthOffload.class);
        if (!scatters) {
            offloads.remove(EthOffload.RX_SCATTER);
        }
        return new EthCapabilities(
                offloads,
                EnumSet.of(RssType.IPV4, RssType.UDP_IPV4, RssType.IPV6),
                TABLE,
                KEY,
                0,
                4096);
    }

    @Override
    public MemorySource packetMemory() {
        return bytes -> {
            allocations.incrementAndGet();
            return MemorySource.plain().allocate(bytes);
        };
    }

    @Override
    protected void doConfigure(EthConfig wanted) {
        config = wanted;
        configs.add(wanted);
        noteMtu(wanted.mtu() == 0 ? 1500 : wanted.mtu());
        strip = wanted.has(EthOffload.RX_VLAN_STRIP);
        List<Queue<Received>> fresh = new ArrayList<>();
        for (int q = 0; q < wanted.rxQueues(); q++) {
            fresh.add(new ConcurrentLinkedQueue<>());
        }
        queues = fresh;
        pools = new Mempool[wanted.rxQueues()];
        rss = withKey(wanted.rss());
        for (int i = 0; i < TABLE; i++) {
            table[i] = i % wanted.rxQueues();
        }
    }

    private static RssConfig withKey(RssConfig rss) {
        return rss.key().length > 0 ? rss : new RssConfig(rss.types(), new byte[KEY]);
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        pools[queue] = pool;
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {}

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {}

    @Override
    protected void doClose() {}

    @Override
    protected void doSetPromiscuous(boolean on) {}

    @Override
    protected void doSetAllMulticast(boolean on) {}

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        int n = 0;
        long bytes = 0;
        while (n < count) {
            Received r = queues.get(queue).poll();
            if (r == null) {
                break;
            }
            int head = 0;
            for (int at = 0; at < r.frame().length; at += pools[queue].dataRoom()) {
                int m = pools[queue].alloc();
                int length = Math.min(pools[queue].dataRoom(), r.frame().length - at);
                Mbuf.append(m, length);
                MemorySegment.copy(
                        r.frame(),
                        at,
                        Mbuf.segment(m),
                        ValueLayout.JAVA_BYTE,
                        Mbuf.offset(m),
                        length);
                if (head == 0) {
                    head = m;
                } else {
                    Mbuf.chain(head, m);
                }
            }
            Mbuf.setOlFlags(head, r.flags());
            Mbuf.setVlanTci(head, r.tci());
            Mbuf.setHash(head, r.hash());
            mbufs[offset + n++] = head;
            bytes += r.frame().length;
        }
        if (n > 0) {
            rxCounters(queue).add(n, bytes);
        }
        return n;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        long bytes = 0;
        for (int i = offset; i < offset + count; i++) {
            byte[] frame = send(mbufs[i]);
            bytes += frame.length;
            wire.add(frame);
        }
        Mempool.freeBulk(mbufs, offset, count);
        txCounters(queue).add(count, bytes);
        return count;
    }

    private byte[] send(int mbuf) {
        ByteBuffer whole = ByteBuffer.allocate(Mbuf.pktLen(mbuf));
        for (int m = mbuf; m != 0; m = Mbuf.next(m)) {
            byte[] part = new byte[Mbuf.dataLen(m)];
            MemorySegment.copy(
                    Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), part, 0, part.length);
            whole.put(part);
        }
        byte[] frame = whole.array();
        int flags = Mbuf.olFlags(mbuf);
        int l3 = Mbuf.txL2Len(mbuf);
        int l4 = l3 + Mbuf.txL3Len(mbuf);
        if ((flags & Mbuf.TX_IP_CKSUM) != 0) {
            need(EthOffload.TX_IPV4_CKSUM);
            put16(frame, l3 + 10, ~sum(frame, l3, l4 - l3));
        }
        if ((flags & (Mbuf.TX_UDP_CKSUM | Mbuf.TX_TCP_CKSUM)) != 0) {
            boolean udp = (flags & Mbuf.TX_UDP_CKSUM) != 0;
            need(udp ? EthOffload.TX_UDP_CKSUM : EthOffload.TX_TCP_CKSUM);
            int length =
                    (flags & Mbuf.TX_IPV4) != 0
                            ? be16(frame, l3 + 2) - (l4 - l3)
                            : be16(frame, l3 + 4);
            // The field holds the pseudo header's sum.
            put16(frame, l4 + (udp ? 6 : 16), ~sum(frame, l4, length));
        }
        if ((flags & Mbuf.TX_VLAN) != 0) {
            need(EthOffload.TX_VLAN_INSERT);
            ByteBuffer tagged = ByteBuffer.allocate(frame.length + 4);
            tagged.put(frame, 0, 12).putShort((short) 0x8100);
            tagged.putShort((short) Mbuf.vlanTci(mbuf)).put(frame, 12, frame.length - 12);
            frame = tagged.array();
        }
        return frame;
    }

    private void need(EthOffload offload) {
        if (!config.has(offload)) {
            throw new IllegalStateException(offload + " was not configured");
        }
    }

    @Override
    public EthLink link() {
        return new EthLink(started() && up, 1000, true);
    }

    @Override
    public void setLinkUp(boolean on) {
        up = on;
    }

    @Override
    public void setMtu(int bytes) {
        if (bytes < info().minMtu() || bytes > info().maxMtu()) {
            throw failure("MTU " + bytes, "EINVAL", "out of range");
        }
        noteMtu(bytes);
    }

    @Override
    public List<MacAddress> macAddresses() {
        List<MacAddress> all = new ArrayList<>(List.of(macAddress()));
        all.addAll(more);
        return all;
    }

    @Override
    public void addMacAddress(MacAddress address) {
        more.add(address);
    }

    @Override
    public void removeMacAddress(MacAddress address) {
        if (!more.remove(address)) {
            throw failure("address " + address, "ENOENT", "it was not added");
        }
    }

    @Override
    public void changeMacAddress(MacAddress address) {
        setMacAddress(address);
    }

    @Override
    public void setVlanFilter(int vlan, boolean on) {
        if (!config.has(EthOffload.RX_VLAN_FILTER)) {
            throw failure("VLAN filter", "EINVAL", "it is not configured");
        }
        if (on) {
            vlans.add(vlan);
        } else {
            vlans.remove(vlan);
        }
    }

    Set<Integer> vlans() {
        return vlans;
    }

    @Override
    public void setVlanStrip(boolean on) {
        strip = on;
    }

    @Override
    public boolean vlanStrip() {
        return strip;
    }

    @Override
    public RssConfig rss() {
        return rss;
    }

    @Override
    public void setRss(RssConfig wanted) {
        rss = withKey(wanted);
    }

    @Override
    public int[] rssTable() {
        return table.clone();
    }

    @Override
    public void setRssTable(int[] queueOf) {
        table = queueOf.clone();
    }

    // Bytes.

    static int be16(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    static void put16(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }

    /** The ones' complement sum (RFC 1071), the slow way. */
    static int sum(byte[] bytes, int from, int length) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum += (bytes[from + i] & 0xff) << ((i & 1) == 0 ? 8 : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }
}
