package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * {@code net_pcap0[,rx_pcap=FILE]...[,tx_pcap=FILE]...[,infinite_rx=1][,tx_nanos=0]}: a device that
 * receives the frames of capture files and transmits into capture files, one file per queue, as
 * DPDK's net_pcap. At least one file must be named.
 */
public final class PcapDriver implements EthDriver {
    /** Has no state. */
    public PcapDriver() {}

    @Override
    public List<String> prefixes() {
        return List.of("net_pcap", "eth_pcap");
    }

    @Override
    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
        args.allowOnly("rx_pcap", "tx_pcap", "infinite_rx", "tx_nanos");
        List<Path> inputs = files(args, "rx_pcap");
        List<Path> outputs = files(args, "tx_pcap");
        if (inputs.isEmpty() && outputs.isEmpty()) {
            throw new IllegalArgumentException(
                    "device " + args.name() + ": name a file with rx_pcap= or tx_pcap=");
        }
        checkDistinct(args.name(), inputs, outputs);
        boolean infinite = args.getFlag("infinite_rx", false);
        boolean nanos = args.getFlag("tx_nanos", true);
        List<PcapReader> readers = new ArrayList<>();
        List<PcapWriter> writers = new ArrayList<>();
        try {
            // Inputs first: a wrong input must not empty an output.
            for (Path p : inputs) {
                readers.add(PcapReader.open(p));
            }
            for (Path p : outputs) {
                writers.add(PcapWriter.create(p, nanos));
            }
            return new PcapDevice(args.name(), readers, writers, infinite);
        } catch (EthDeviceException e) {
            readers.forEach(PcapReader::close);
            writers.forEach(PcapWriter::close);
            throw new EthDeviceException("device " + args.name() + ": " + e.getMessage(), e);
        }
    }

    private static List<Path> files(DeviceArgs args, String key) {
        List<Path> files = new ArrayList<>();
        for (String text : args.all(key)) {
            try {
                if (text.isEmpty()) {
                    throw new InvalidPathException(text, "no file named");
                }
                files.add(Path.of(text));
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException(
                        "device " + args.name() + ": " + key + "=" + text + ": " + e.getReason(),
                        e);
            }
        }
        return files;
    }

    /** Refuses to write into a file that is read, or into one file twice. */
    private static void checkDistinct(String name, List<Path> inputs, List<Path> outputs) {
        List<Path> taken = new ArrayList<>(inputs);
        for (Path out : outputs) {
            for (Path other : taken) {
                if (same(out, other)) {
                    throw new IllegalArgumentException(
                            "device " + name + ": " + out + " cannot be used twice");
                }
            }
            taken.add(out);
        }
    }

    private static boolean same(Path a, Path b) {
        if (a.toAbsolutePath().normalize().equals(b.toAbsolutePath().normalize())) {
            return !a.toString().startsWith("/dev/");
        }
        try {
            return Files.isRegularFile(a) && Files.isSameFile(a, b);
        } catch (IOException e) {
            return false;
        }
    }
}
