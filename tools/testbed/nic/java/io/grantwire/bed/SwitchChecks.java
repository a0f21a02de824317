package io.grantwire.bed;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.Switch;
import io.grantwire.vswitch.SwitchConfig;
import io.grantwire.vswitch.SwitchStats;
import io.grantwire.vswitch.UplinkSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The switch with a card as its uplink, and guests on an emulated host, all in this process: more guests than the card has pools.
 *
 * <pre>
 *   SwitchChecks CARD BDF [CARD BDF]...     at least one card; 0 or 1 before them: whether the cards sort
 * </pre>
 */
public final class SwitchChecks {
    private static final int GUESTS = 9;
    private static final long FIRST_MAC = 0x0011_2200_0010L;
    private static final byte[] STRANGER = {2, 0, 0, 0, 0, 0x55};
    private static final long PATIENCE = 20_000_000_000L;

    private final Wire wire;
    private final List<Guest> guests = new ArrayList<>();
    private boolean failed;

    /** A guest with one device. */
    private static final class Guest implements AutoCloseable {
        final byte[] mac;
        private final Domain domain;
        private final Mempool pool;
        private final EthDevice device;

        Guest(EmulatedHost host, int number) {
            long address = FIRST_MAC + number;
            mac = new MacAddress(address).bytes();
            int domid = number + 1;
            domain = Domains.open(DomainOptions.emulatedGuest(host.dir(), "VM" + domid).withDomid(domid));
            pool = XenvirtMempools.create(domain, "vm" + domid, 1024, 2048, 0);
            device = EthDrivers.probe("eth_xenvirt0,mac=" + MacAddress.format(address), () -> domain);
            device.configure(EthConfig.SINGLE_QUEUE);
            device.txQueueSetup(0, 0);
            device.rxQueueSetup(0, 0, pool);
            device.start();
        }

        byte[] receive(long millis) {
            int[] one = new int[1];
            long end = System.nanoTime() + millis * 1_000_000;
            do {
                if (device.rxBurst(0, one, 0, 1) == 1) {
                    byte[] bytes = NicUnderTest.bytes(one[0]);
                    Mbuf.free(one[0]);
                    return bytes;
                }
            } while (System.nanoTime() < end);
            return null;
        }

        void send(byte[] frame) {
            int m = pool.alloc();
            Mbuf.append(m, frame.length);
            MemorySegment.copy(frame, 0, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), frame.length);
            int[] one = {m};
            while (device.txBurst(0, one, 0, 1) == 0) {
                Thread.onSpinWait();
            }
        }

        @Override
        public void close() {
            device.close();
            pool.close();
            domain.close();
        }
    }

    private SwitchChecks(Wire wire) {
        this.wire = wire;
    }

    public static void main(String[] args) throws Exception {
        boolean vmdq = args[0].equals("1");
        try (Wire wire = new Wire(); EmulatedHost host = EmulatedHost.start(Files.createTempDirectory("host").resolve("h"))) {
            SwitchChecks checks = new SwitchChecks(wire);
            try (Domain dom0 = Domains.open(DomainOptions.emulatedControl(host.dir()))) {
                SwitchConfig.Builder config = SwitchConfig.builder().mbufs(2048).vmdq(vmdq);
                List<String> cards = new ArrayList<>();
                List<String> places = new ArrayList<>();
                for (int i = 1; i < args.length; i += 2) {
                    cards.add(args[i]);
                    places.add(args[i + 1]);
                    config.uplink(UplinkSpec.parse("pci:" + args[i + 1]));
                    wire.drain(args[i]);
                }
                try (Switch sw = Switch.start(config.build(), dom0)) {
                    checks.run(sw, host, cards, vmdq);
                    if (cards.size() > 1) {
                        checks.unbind(sw, places.get(0), cards.get(1));
                    }
                    checks.leave();
                }
            }
            System.exit(checks.failed ? 1 : 0);
        }
    }

    private void check(boolean ok, String what) {
        System.out.println((ok ? "PASS " : "FAIL ") + what);
        failed |= !ok;
    }

    private static boolean await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(5);
        }
        return true;
    }

    private void run(Switch sw, EmulatedHost host, List<String> cards, boolean vmdq) throws Exception {
        int pools = sw.stats().uplinks().get(0).pools();
        check(pools == (vmdq ? 8 : 0), "the card has " + pools + " pools in use");
        for (int i = 0; i < GUESTS; i++) {
            guests.add(new Guest(host, i));
            int wanted = i + 1;
            await(() -> sw.stats().devices().size() == wanted);
        }
        List<SwitchStats.DeviceStats> devices = sw.stats().devices();
        int sorted = (int) devices.stream().filter(d -> d.pools().get(0) > 0).count();
        check(
                devices.size() == GUESTS && sorted == (vmdq ? 7 : 0),
                sorted + " of " + devices.size() + " devices have a pool, the others are sorted in software");
        // A start resets the cards: their links take a while.
        Thread.sleep(3000);
        for (String card : cards) {
            check(toGuests(card, devices), "frames from " + card + " reach their guests, without the tag, and nobody else");
        }
        check(toWire(cards), "frames to the wire carry their sender's VLAN");
        long before = sw.stats().uplinks().get(0).fromWire().dropped();
        wire.send(cards.get(0), Packets.tagged(Packets.frame(guests.get(0).mac, 80, 1), 1001));
        wire.send(cards.get(0), Packets.frame(guests.get(0).mac, 80, 2));
        wire.send(cards.get(0), Packets.tagged(Packets.frame(STRANGER, 80, 3), 1000));
        check(
                await(() -> sw.stats().uplinks().get(0).fromWire().dropped() == before + 3),
                "a wrong VLAN, none, an unknown address reach nobody: " + sw.stats().uplinks().get(0).fromWire().drops());
        check(silent(), "indeed nobody");
        guests.remove(2).close();
        check(await(() -> sw.stats().devices().size() == GUESTS - 1), "a guest leaves");
        check(
                await(() -> sw.stats().devices().stream().filter(d -> d.pools().get(0) > 0).count() == sorted),
                "and its pool goes to another");
        check(toGuests(cards.get(0), sw.stats().devices()), "the others get their frames as before");
    }

    private void leave() {
        for (Guest guest : guests) {
            guest.close();
        }
    }

    /** The kernel takes the first card from under the switch; what is on the other goes on. */
    private void unbind(Switch sw, String bdf, String otherCard) throws Exception {
        Path device = Path.of("/sys/bus/pci/devices", bdf);
        String driver = device.resolve("driver").toRealPath().getFileName().toString();
        // With VFIO this write waits until the card is closed.
        Thread unbinding = Thread.ofPlatform().daemon().start(() -> {
            try {
                Files.writeString(device.resolve("driver/unbind"), bdf);
            } catch (IOException e) {
                System.out.println("unbind: " + e);
            }
        });
        unbinding.join(10_000);
        check(!unbinding.isAlive() && !Files.exists(device.resolve("driver")), "the kernel gets " + bdf + " back from " + driver + " at once");
        check(await(() -> sw.stats().uplinks().get(0).failed()), "its uplink is out of use");
        check(sw.stats().workers().stream().allMatch(SwitchStats.WorkerStats::running), "the workers go on");
        check(toGuests(otherCard, sw.stats().devices()), "frames from " + otherCard + " reach their guests as before");
    }

    private boolean toGuests(String card, List<SwitchStats.DeviceStats> devices) throws IOException {
        boolean right = true;
        for (int round = 0; round < 5; round++) {
            for (SwitchStats.DeviceStats d : devices) {
                byte[] plain = Packets.frame(MacAddress.parse(d.mac()).bytes(), 60 + 200 * round, d.number() * 10 + round);
                wire.send(card, Packets.tagged(plain, d.vlan()));
                Guest guest = guests.stream().filter(g -> Arrays.equals(g.mac, MacAddress.parse(d.mac()).bytes())).findFirst().orElseThrow();
                boolean ok = Arrays.equals(plain, guest.receive(3000));
                if (!ok) {
                    System.out.println("device " + d.number() + " round " + round + ": not received");
                }
                right &= ok;
            }
        }
        return right && silent();
    }

    private boolean silent() {
        return guests.stream().allMatch(g -> g.receive(10) == null);
    }

    private boolean toWire(List<String> cards) throws IOException {
        boolean right = true;
        for (int i = 0; i < guests.size(); i++) {
            byte[] frame = Packets.frame(STRANGER, 100 + i, i);
            guests.get(i).send(frame);
            byte[] out = wire.take(cards.get(i % cards.size()), 3000);
            right &= Arrays.equals(Packets.tagged(frame, 1000 + i), out);
        }
        return right;
    }
}
