package io.grantwire.pmd.ethdev;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A device string as {@code --vdev} takes it: {@code net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap}.
 * The name ends at the first comma; pairs are separated by commas. A semicolon before something
 * like {@code key=} separates too, as the old eth_xenvirt wrote it. A key without {@code =} has the
 * empty value. A key may come several times.
 */
public final class DeviceArgs {
    private final String text;
    private final String name;
    private final List<Pair> pairs;

    private record Pair(String key, String value) {}

    private DeviceArgs(String text, String name, List<Pair> pairs) {
        this.text = text;
        this.name = name;
        this.pairs = pairs;
    }

    /**
     * @throws IllegalArgumentException when the name or a key is missing or has odd characters
     */
    public static DeviceArgs parse(String text) {
        int comma = text.indexOf(',');
        String name = comma < 0 ? text : text.substring(0, comma);
        if (!name.matches("[A-Za-z0-9_.:-]+")) {
            throw new IllegalArgumentException(
                    "device '" + text + "': it must begin with a name such as net_null0");
        }
        List<Pair> pairs = new ArrayList<>();
        if (comma >= 0 && comma + 1 < text.length()) {
            for (String part : text.substring(comma + 1).split(",|;(?=[A-Za-z0-9_-]+=)|;$", -1)) {
                if (part.isEmpty()) {
                    continue;
                }
                int equals = part.indexOf('=');
                String key = equals < 0 ? part : part.substring(0, equals);
                if (!key.matches("[A-Za-z0-9_-]+")) {
                    throw new IllegalArgumentException(
                            "device " + name + ": '" + part + "' is not of the form key=value");
                }
                pairs.add(new Pair(key, equals < 0 ? "" : part.substring(equals + 1)));
            }
        }
        return new DeviceArgs(text, name, List.copyOf(pairs));
    }

    /** The device's name, for instance {@code net_pcap0}. */
    public String name() {
        return name;
    }

    /** The keys, each once, in the order they came. */
    public Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>();
        for (Pair p : pairs) {
            keys.add(p.key());
        }
        return keys;
    }

    /** All values of a key, in the order they came. */
    public List<String> all(String key) {
        return pairs.stream().filter(p -> p.key().equals(key)).map(Pair::value).toList();
    }

    /** Whether the key is there. */
    public boolean has(String key) {
        return !all(key).isEmpty();
    }

    /**
     * The value of a key that may come once.
     *
     * @return null when it is not there
     * @throws IllegalArgumentException when it comes several times
     */
    public String get(String key) {
        List<String> values = all(key);
        if (values.size() > 1) {
            throw new IllegalArgumentException(
                    "device " + name + ": " + key + " is given " + values.size() + " times");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /** The value of a key that may come once, or another one when it is not there. */
    public String get(String key, String absent) {
        String value = get(key);
        return value == null ? absent : value;
    }

    /**
     * The whole number given for a key.
     *
     * @throws IllegalArgumentException when it is no number or not in {@code min} to {@code max}
     */
    public int getInt(String key, int absent, int min, int max) {
        String value = get(key);
        if (value == null) {
            return absent;
        }
        try {
            int number = Integer.decode(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, with what would have been right.
        }
        throw new IllegalArgumentException(
                "device "
                        + name
                        + ": "
                        + key
                        + "="
                        + value
                        + " is not a number in "
                        + min
                        + " to "
                        + max);
    }

    /**
     * The switch given for a key: 0 or 1.
     *
     * @throws IllegalArgumentException when it is anything else
     */
    public boolean getFlag(String key, boolean absent) {
        return getInt(key, absent ? 1 : 0, 0, 1) == 1;
    }

    /**
     * Refuses keys that the driver does not know.
     *
     * @throws IllegalArgumentException naming the stranger and the known ones
     */
    public void allowOnly(String... known) {
        List<String> list = Arrays.asList(known);
        for (String key : keys()) {
            if (!list.contains(key)) {
                throw new IllegalArgumentException(
                        "device "
                                + name
                                + ": unknown key '"
                                + key
                                + "'; known: "
                                + String.join(", ", list));
            }
        }
    }

    /** The string it was made from. */
    @Override
    public String toString() {
        return text;
    }
}
