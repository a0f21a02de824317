package io.grantwire.vswitch;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import java.util.function.Function;

/**
 * An uplink as a person writes it:
 *
 * <ul>
 *   <li>{@code pcap:in=F,out=F}, either part may be left out
 *   <li>{@code tap:NAME}
 *   <li>{@code af_packet:IFACE}
 *   <li>{@code pci:BDF}, for instance {@code pci:0000:03:00.0}
 *   <li>{@code xenvirt:DOMID} or {@code xenvirt:DOMID/DEVICE}: another guest's device is the wire
 *   <li>{@code null}: takes everything, gives nothing
 * </ul>
 */
public final class UplinkSpec {
    private static final String FORMS =
            "pcap:in=FILE,out=FILE, tap:NAME, af_packet:IFACE, pci:BDF, xenvirt:DOMID or null";

    private final String text;
    private final Function<Domain, EthDevice> opener;

    private UplinkSpec(String text, Function<Domain, EthDevice> opener) {
        this.text = text;
        this.opener = opener;
    }

    /**
     * Reads a specification; nothing is opened.
     *
     * @throws IllegalArgumentException when it has none of the forms; the message lists them
     */
    public static UplinkSpec parse(String text) {
        int colon = text.indexOf(':');
        String kind = colon < 0 ? text : text.substring(0, colon);
        String rest = colon < 0 ? "" : text.substring(colon + 1);
        return switch (kind) {
            case "null" -> driver(text, "net_null0,no-rx=1", rest.isEmpty());
            case "pcap" -> driver(text, "net_pcap0" + pcap(text, rest), true);
            case "tap" -> driver(text, "net_tap0,iface=" + rest, isInterface(rest));
            case "af_packet" -> driver(text, "net_af_packet0,iface=" + rest, isInterface(rest));
            case "pci" -> pci(text, rest);
            case "xenvirt" -> xenvirt(text, rest);
            default -> throw malformed(text);
        };
    }

    /**
     * An uplink over any device.
     *
     * @param text what to call it
     * @param opener makes the device, probed but not configured, given the switch's domain
     */
    public static UplinkSpec of(String text, Function<Domain, EthDevice> opener) {
        return new UplinkSpec(text, opener);
    }

    private static UplinkSpec driver(String text, String device, boolean wellFormed) {
        if (!wellFormed) {
            throw malformed(text);
        }
        return new UplinkSpec(text, domain -> EthDrivers.probe(device, () -> domain));
    }

    private static String pcap(String text, String rest) {
        StringBuilder device = new StringBuilder();
        for (String part : rest.split(",")) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? "" : part.substring(0, equals);
            if (equals == part.length() - 1 || !(key.equals("in") || key.equals("out"))) {
                throw malformed(text);
            }
            device.append(key.equals("in") ? ",rx_pcap=" : ",tx_pcap=")
                    .append(part, equals + 1, part.length());
        }
        return device.toString();
    }

    private static boolean isInterface(String name) {
        return name.matches("[^\\s/,]{1,15}");
    }

    private static UplinkSpec pci(String text, String bdf) {
        if (!bdf.matches("([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]")) {
            throw malformed(text);
        }
        return driver(text, "pci:" + bdf, true);
    }

    private static UplinkSpec xenvirt(String text, String rest) {
        if (!rest.matches("[1-9][0-9]{0,4}(/[0-9]{1,2})?")) {
            throw malformed(text);
        }
        int slash = rest.indexOf('/');
        int domid = Integer.parseInt(slash < 0 ? rest : rest.substring(0, slash));
        int device = slash < 0 ? 0 : Integer.parseInt(rest.substring(slash + 1));
        return new UplinkSpec(text, domain -> VhostDevice.open(domain, domid, device));
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException("uplink '" + text + "' is none of the forms " + FORMS);
    }

    /** Makes the device: probed, not configured; owned by the caller. */
    public EthDevice open(Domain domain) {
        return opener.apply(domain);
    }

    /** As it was written. */
    @Override
    public String toString() {
        return text;
    }
}
