package io.grantwire.bed;

import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.PciConfigSpace;
import io.grantwire.vfio.PciException;
import io.grantwire.vfio.PciInterrupt;
import io.grantwire.vfio.PciInterrupts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * What a PCI device does beyond its contract test, since it takes a card that can be told to: interrupts, DMA, faults, and going away.
 *
 * <pre>
 *   DeviceChecks interrupts ADDRESS             every kind and vector
 *   DeviceChecks dma ADDRESS CARD               a frame out of memory, one into it
 *   DeviceChecks faults ADDRESS CARD            DMA where nothing is mapped (VFIO)
 *   DeviceChecks groups ADDRESS CARD ADDRESS CARD   two devices, one memory (VFIO)
 *   DeviceChecks gone ADDRESS                   unbound while it is open
 * </pre>
 */
public final class DeviceChecks {
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration BRIEFLY = Duration.ofMillis(100);

    /** An address that no allocation of a test comes near. */
    private static final long NOWHERE = 0x40_0000_0000L;

    private boolean failed;

    private DeviceChecks() {}

    public static void main(String[] args) throws Exception {
        DeviceChecks checks = new DeviceChecks();
        switch (args[0]) {
            case "interrupts" -> checks.interrupts(args[1]);
            case "dma" -> checks.dma(args[1], args[2]);
            case "faults" -> checks.faults(args[1], args[2]);
            case "groups" -> checks.groups(args[1], args[2], args[3], args[4]);
            case "gone" -> checks.gone(args[1]);
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.exit(checks.failed ? 1 : 0);
    }

    private void check(boolean ok, String what) {
        System.out.println((ok ? "PASS " : "FAIL ") + what);
        failed |= !ok;
    }

    private static boolean await(BooleanSupplier what) throws InterruptedException {
        long end = System.nanoTime() + SOON.toNanos();
        while (!what.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(10);
        }
        return true;
    }

    private static byte[] frame(int seed) {
        byte[] frame = new byte[200];
        Arrays.fill(frame, (byte) seed);
        System.arraycopy(new byte[] {-1, -1, -1, -1, -1, -1, 2, 0, 0, 0, 0, 2, (byte) 0x88, (byte) 0xb5}, 0, frame, 0, 14);
        return frame;
    }

    private void interrupts(String address) {
        try (Nic nic = new Nic(address)) {
            nic.pci.setBusMaster(true);
            for (PciInterrupts.Kind kind : PciInterrupts.Kind.values()) {
                int most = nic.pci.interrupts().available(kind);
                if (most == 0) {
                    System.out.println("no " + kind + " through " + nic.pci.kernelDriver());
                    continue;
                }
                List<PciInterrupt> vectors = nic.pci.interrupts().enable(kind, most);
                boolean byVector = kind == PciInterrupts.Kind.MSIX;
                for (int v = 0; v < (byVector ? most : 1); v++) {
                    boolean quiet = !vectors.get(v).await(BRIEFLY);
                    nic.cause(byVector, v);
                    boolean came = vectors.get(v).await(SOON);
                    boolean others = false;
                    for (int o = 0; o < vectors.size(); o++) {
                        others |= o != v && vectors.get(o).await(Duration.ZERO);
                    }
                    nic.acknowledge();
                    vectors.get(v).unmask();
                    vectors.get(v).await(BRIEFLY);
                    nic.cause(byVector, v);
                    boolean again = vectors.get(v).await(SOON);
                    nic.acknowledge();
                    vectors.get(v).unmask();
                    vectors.get(v).await(BRIEFLY);
                    check(quiet && came && again && !others, kind + " vector " + v + " of " + most + " comes, and comes again");
                }
                nic.pci.interrupts().disable();
            }
        }
    }

    private void dma(String address, String card) throws Exception {
        try (Nic nic = new Nic(address);
                Wire wire = new Wire();
                DmaMapping ring = nic.pci.dma().allocate(4096);
                DmaMapping data = nic.pci.dma().allocate(4096)) {
            System.out.println("DMA: " + nic.pci.dma().description());
            byte[] out = frame(0x11);
            MemorySegment.copy(out, 0, data.segment(), ValueLayout.JAVA_BYTE, 0, out.length);
            wire.drain(card);
            nic.transmit(ring.busAddress(0), ring, data.busAddress(0), out.length);
            check(wire.take(card, 300) == null, "without bus mastering nothing is read from memory");
            nic.reset();
            nic.transmit(ring.busAddress(0), ring, data.busAddress(0), out.length);
            byte[] got = wire.take(card, SOON.toMillis());
            check(Arrays.equals(out, got), "a frame leaves as it was in memory");
            nic.receive(ring.busAddress(0), ring, data.busAddress(2048));
            byte[] in = frame(0x22);
            check(nic.awaitLink(), "the link comes back after a reset");
            wire.send(card, in);
            byte[] there = new byte[in.length];
            boolean came = await(() -> {
                MemorySegment.copy(data.segment(), ValueLayout.JAVA_BYTE, 2048, there, 0, there.length);
                return Arrays.equals(in, there);
            });
            check(came, "a frame arrives in memory as it was sent");
            if (!came) {
                System.out.println(nic.receiverState() + ", descriptor " + Long.toHexString(ring.segment().get(ValueLayout.JAVA_LONG, 0)) + " "
                        + Long.toHexString(ring.segment().get(ValueLayout.JAVA_LONG, 8)) + " for " + Long.toHexString(data.busAddress(2048)) + ", data "
                        + java.util.HexFormat.of().formatHex(there, 0, 32));
            }
            nic.pci.setBusMaster(false);
        }
    }

    private static int faults(String kind) throws IOException {
        Process dmesg = new ProcessBuilder("dmesg").redirectErrorStream(true).start();
        try (BufferedReader lines = dmesg.inputReader()) {
            return (int) lines.lines().filter(line -> line.contains("DMAR: [DMA " + kind)).count();
        }
    }

    private void faults(String address, String card) throws Exception {
        try (Nic nic = new Nic(address);
                Wire wire = new Wire();
                DmaMapping ring = nic.pci.dma().allocate(4096);
                DmaMapping other = nic.pci.dma().allocate(1 << 20)) {
            other.segment().fill((byte) 0x77);
            nic.pci.setBusMaster(true);
            int reads = faults("Read");
            nic.transmit(NOWHERE, null, 0, 0);
            check(await(() -> more("Read", reads)), "reading where nothing is mapped is a DMAR fault");
            nic.reset();
            int writes = faults("Write");
            nic.receive(ring.busAddress(0), ring, NOWHERE);
            wire.send(card, frame(0x33));
            check(await(() -> more("Write", writes)), "writing where nothing is mapped is a DMAR fault");
            boolean whole = true;
            for (long i = 0; i < other.segment().byteSize(); i++) {
                whole &= other.segment().get(ValueLayout.JAVA_BYTE, i) == 0x77;
            }
            check(whole, "memory mapped elsewhere is as it was");
            nic.reset();
            DmaMapping closed = nic.pci.dma().allocate(4096);
            long was = closed.busAddress(0);
            closed.close();
            int before = faults("Read");
            nic.transmit(ring.busAddress(0), ring, was, 100);
            check(await(() -> more("Read", before)), "memory that was given back cannot be reached");
        }
    }

    private static boolean more(String kind, int than) {
        try {
            return faults(kind) > than;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void groups(String one, String cardOne, String two, String cardTwo) throws Exception {
        try (Nic first = new Nic(one);
                Nic second = new Nic(two);
                Wire wire = new Wire()) {
            check(!first.pci.function().iommuGroup().equals(second.pci.function().iommuGroup()), "the cards are in two groups");
            check(first.pci.dma() == second.pci.dma(), "… and share their addresses");
            try (DmaMapping ring = first.pci.dma().allocate(4096);
                    DmaMapping data = second.pci.dma().allocate(4096)) {
                byte[] out = frame(0x44);
                MemorySegment.copy(out, 0, data.segment(), ValueLayout.JAVA_BYTE, 0, out.length);
                for (int i = 0; i < 2; i++) {
                    Nic nic = i == 0 ? first : second;
                    String card = i == 0 ? cardOne : cardTwo;
                    wire.drain(card);
                    nic.pci.setBusMaster(true);
                    nic.transmit(ring.busAddress(0), ring, data.busAddress(0), out.length);
                    check(Arrays.equals(out, wire.take(card, SOON.toMillis())), card + " sends from memory that both can reach");
                }
                first.pci.close();
                wire.drain(cardTwo);
                second.reset();
                second.transmit(ring.busAddress(0), ring, data.busAddress(0), out.length);
                check(Arrays.equals(out, wire.take(cardTwo, SOON.toMillis())), "… the second also when the first is closed");
                second.pci.close();
                try (Nic again = new Nic(one)) {
                    again.pci.setBusMaster(true);
                    wire.drain(cardOne);
                    again.transmit(ring.busAddress(0), ring, data.busAddress(0), out.length);
                    check(Arrays.equals(out, wire.take(cardOne, SOON.toMillis())), "… and a group that comes back after all had gone");
                }
            }
        }
    }

    private void gone(String address) throws Exception {
        Nic nic = new Nic(address);
        String driver = nic.pci.kernelDriver();
        boolean vfio = driver.equals("vfio-pci");
        check(!nic.pci.isGone(), "an open device is there");
        PciException twice = refused(address);
        check(twice != null && twice.getMessage().contains("EBUSY"), "a second opening is refused: " + message(twice));
        if (vfio) {
            int command = nic.pci.config().read16(PciConfigSpace.COMMAND);
            nic.pci.config().write16(PciConfigSpace.COMMAND, command & ~PciConfigSpace.COMMAND_MEMORY);
            PciException fault = null;
            try {
                nic.pci.withRegisters("read STATUS", () -> System.out.println("STATUS " + nic.status()));
            } catch (PciException e) {
                fault = e;
            }
            check(fault != null && fault.getMessage().contains("ENODEV"), "registers that are off are an error, not a crash: " + message(fault));
            nic.pci.config().write16(PciConfigSpace.COMMAND, command);
            nic.pci.withRegisters("read STATUS", nic::status);
        }
        Process unbind = new ProcessBuilder("sh", "-c", "echo " + address + " > /sys/bus/pci/drivers/" + driver + "/unbind").inheritIO().start();
        check(await(nic.pci::isGone), "unbound while it is open: it says that it is gone");
        check(!vfio || unbind.isAlive(), "… and vfio-pci waits until it is closed");
        nic.close();
        check(unbind.waitFor(SOON.toSeconds(), TimeUnit.SECONDS), "… after which the unbinding ends");
        PciException none = refused(address);
        check(none != null && none.getMessage().contains("grantwire nic-bind -b vfio-pci " + address), "an unbound device cannot be opened: " + message(none));
    }

    private static PciException refused(String address) {
        try {
            new Nic(address).close();
            return null;
        } catch (PciException e) {
            return e;
        }
    }

    private static String message(PciException e) {
        return e == null ? "no exception" : e.getMessage();
    }
}
