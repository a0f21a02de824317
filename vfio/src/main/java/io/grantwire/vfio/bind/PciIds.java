package io.grantwire.vfio.bind;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Names of PCI devices from the PCI id list, where the machine has it ({@code pci.ids}: a vendor's
 * number at the start of a line, its devices behind one tab each). An instance reads the list once.
 */
public final class PciIds {
    private static final List<String> PLACES = List.of("misc/pci.ids", "hwdata/pci.ids", "pci.ids");
    private static final int DIGITS = 4;

    private final Path share;
    private Map<Integer, String> devices;

    /**
     * @param tree where to look
     */
    public PciIds(HostTree tree) {
        this.share = tree.share();
    }

    /**
     * What a model is called; just {@code Device} when the list does not know it or is not there,
     * as lspci has it.
     */
    public String deviceName(int vendor, int device) {
        if (devices == null) {
            devices = read();
        }
        return devices.getOrDefault(vendor << 16 | device, "Device");
    }

    private Map<Integer, String> read() {
        Map<Integer, String> names = new HashMap<>();
        Path list =
                PLACES.stream()
                        .map(share::resolve)
                        .filter(Files::isReadable)
                        .findFirst()
                        .orElse(null);
        if (list == null) {
            return names;
        }
        int vendor = -1;
        for (String line : HostTree.lines(list)) {
            if (line.startsWith("\t\t") || line.isBlank() || line.charAt(0) == '#') {
                continue;
            }
            int start = line.charAt(0) == '\t' ? 1 : 0;
            int number = number(line, start);
            if (start == 0) {
                // Device classes and the like come behind the vendors and start with a letter.
                vendor = number;
            } else if (vendor >= 0 && number >= 0) {
                String bytes = line.substring(start + DIGITS).strip();
                names.put(vendor << 16 | number, utf8(bytes));
            }
        }
        return names;
    }

    /** Four hexadecimal digits and a blank at a place, or -1. */
    private static int number(String line, int start) {
        int end = start + DIGITS;
        if (line.length() <= end || line.charAt(end) != ' ') {
            return -1;
        }
        for (int i = start; i < end; i++) {
            if (Character.digit(line.charAt(i), 16) < 0) {
                return -1;
            }
        }
        return Integer.parseInt(line, start, end, 16);
    }

    private static String utf8(String latin1) {
        return new String(
                latin1.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1),
                java.nio.charset.StandardCharsets.UTF_8);
    }
}
