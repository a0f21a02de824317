package io.grantwire.vswitch;

import io.grantwire.pmd.net.MacAddress;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which guest may have which addresses, as far as whoever runs the switch has said so. A guest
 * chooses its device's address itself: without a rule the first to claim one has it, also when its
 * real owner is away for a moment. Immutable.
 */
public final class MacRules {
    /** Everybody may have any address that is free. */
    public static final MacRules NONE = new MacRules(Map.of());

    private final Map<String, Set<Long>> allowed;

    private MacRules(Map<String, Set<Long>> allowed) {
        this.allowed = allowed;
    }

    /**
     * Reads rules of the form {@code WHO=MAC[,MAC...]}, where {@code WHO} is a domain's number, or
     * its name in the store.
     *
     * @throws IllegalArgumentException when one has another form, or two guests are given the same
     *     address; the message is one line for people
     */
    public static MacRules parse(List<String> rules) {
        Map<String, Set<Long>> allowed = new LinkedHashMap<>();
        Map<Long, String> owners = new LinkedHashMap<>();
        for (String rule : rules) {
            int equals = rule.indexOf('=');
            if (equals <= 0) {
                throw new IllegalArgumentException(
                        "'" + rule + "' is not of the form WHO=MAC[,MAC...]");
            }
            String who = rule.substring(0, equals);
            for (String text : rule.substring(equals + 1).split(",", -1)) {
                MacAddress mac = MacAddress.parse(text);
                if (!mac.isValidUnicast()) {
                    throw new IllegalArgumentException(text + " is no station's address");
                }
                String other = owners.putIfAbsent(mac.value(), who);
                if (other != null && !other.equals(who)) {
                    throw new IllegalArgumentException(
                            text + " is given to " + other + " and to " + who);
                }
                allowed.computeIfAbsent(who, w -> new HashSet<>()).add(mac.value());
            }
        }
        return new MacRules(allowed);
    }

    /**
     * Why a guest may not have an address, in words that follow on the address; or null when it
     * may.
     *
     * @param name the domain's name in the store, or null when it has none
     */
    String objection(int domid, String name, long mac) {
        boolean listed = false;
        boolean allowedHere = false;
        String owner = null;
        for (Map.Entry<String, Set<Long>> rule : allowed.entrySet()) {
            boolean its =
                    rule.getKey().equals(Integer.toString(domid)) || rule.getKey().equals(name);
            boolean names = rule.getValue().contains(mac);
            listed |= its;
            allowedHere |= its && names;
            if (names && !its) {
                owner = rule.getKey();
            }
        }
        if (allowedHere) {
            return null;
        }
        if (owner != null) {
            return "is kept for " + owner;
        }
        return listed ? "is not among this guest's" : null;
    }
}
