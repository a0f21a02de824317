package io.grantwire.vfio;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a PCI function sits, written {@code 0000:09:00.0}.
 *
 * @param domain the PCI segment, 0 to 0xffffffff in sysfs; 16 bits on usual machines
 * @param bus 0 to 255
 * @param device 0 to 31
 * @param function 0 to 7
 */
public record PciAddress(int domain, int bus, int device, int function)
        implements Comparable<PciAddress> {
    private static final Pattern TEXT =
            Pattern.compile(
                    "(?:(\\p{XDigit}{4,8}):)?(\\p{XDigit}{1,2}):(\\p{XDigit}{1,2})\\.([0-7])");
    private static final int LAST_DEVICE = 0x1F;

    private static final Comparator<PciAddress> ORDER =
            Comparator.<PciAddress>comparingLong(a -> Integer.toUnsignedLong(a.domain))
                    .thenComparingInt(PciAddress::bus)
                    .thenComparingInt(PciAddress::device)
                    .thenComparingInt(PciAddress::function);

    /**
     * Reads {@code 0000:09:00.0}; the domain may be left out and is then 0.
     *
     * @return empty if the text is not a PCI address
     */
    public static Optional<PciAddress> find(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) {
            return Optional.empty();
        }
        int device = Integer.parseInt(m.group(3), 16);
        if (device > LAST_DEVICE) {
            return Optional.empty();
        }
        return Optional.of(
                new PciAddress(
                        m.group(1) == null ? 0 : Integer.parseUnsignedInt(m.group(1), 16),
                        Integer.parseInt(m.group(2), 16),
                        device,
                        Integer.parseInt(m.group(4))));
    }

    /**
     * Reads {@code 0000:09:00.0}; the domain may be left out and is then 0.
     *
     * @throws IllegalArgumentException if the text is not a PCI address
     */
    public static PciAddress parse(String text) {
        return find(text)
                .orElseThrow(() ->
                        new IllegalArgumentException(
                                "'" + text + "' is not a PCI address such as 0000:09:00.0"));
    }

    @Override
    public int compareTo(PciAddress other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return "%04x:%02x:%02x.%d".formatted(domain, bus, device, function);
    }
}
