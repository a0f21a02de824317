package io.grantwire.vswitch;

import io.grantwire.vswitch.SwitchStats.DeviceStats;
import io.grantwire.vswitch.SwitchStats.UplinkStats;

/**
 * The original's statistics screen: it clears the terminal and shows six lines for each device.
 * What we know beyond that follows those lines.
 */
public final class StatsScreen {
    /** Clears the terminal and goes to its top left corner. */
    public static final String CLEAR = "\u001b[2J\u001b[1;1H";

    private StatsScreen() {}

    /** The screen, the clearing included. */
    public static String render(SwitchStats stats) {
        StringBuilder s = new StringBuilder(CLEAR);
        s.append("\nDevice statistics ====================================");
        for (DeviceStats d : stats.devices()) {
            s.append("\nStatistics for device ").append(d.number());
            s.append(" ------------------------------");
            original(s, "TX", d.tx());
            original(s, "RX", d.rx());
            s.append("\nState: \t\t\t").append(d.state());
            if (d.fault() != null) {
                s.append(" (").append(d.fault()).append(')');
            }
            more(s, "TX", d.tx());
            more(s, "RX", d.rx());
            for (int u = 0; u < d.pools().size(); u++) {
                if (d.pools().get(u) > 0) {
                    s.append("\nVMDq pool of port ")
                            .append(u)
                            .append(": \t")
                            .append(d.pools().get(u));
                }
            }
        }
        for (UplinkStats u : stats.uplinks()) {
            s.append("\nStatistics for uplink ").append(u.spec());
            s.append(" ------------------------------");
            original(s, "TX", u.toWire());
            original(s, "RX", u.fromWire());
            more(s, "TX", u.toWire());
            more(s, "RX", u.fromWire());
            s.append("\nSorted by: \t\t");
            if (u.pools() > 0) {
                s.append("the card, ").append(u.pools()).append(" VMDq pools");
            } else {
                s.append("software");
            }
            if (u.failed()) {
                s.append("\nState: \t\t\tfailed");
            }
        }
        stats.rejects()
                .forEach((reason, n) ->
                        s.append("\nRejected ").append(reason).append(": \t").append(n));
        return s.append("\n======================================================\n").toString();
    }

    private static void original(StringBuilder s, String direction, DirectionStats d) {
        s.append('\n').append(direction).append(" total: \t\t").append(d.total());
        s.append('\n').append(direction).append(" dropped: \t\t").append(d.dropped());
        s.append('\n').append(direction).append(" successful: \t").append(d.successful());
    }

    private static void more(StringBuilder s, String direction, DirectionStats d) {
        s.append('\n').append(direction).append(" bytes: \t\t").append(d.bytes());
        d.drops()
                .forEach((reason, n) ->
                        s.append('\n')
                                .append(direction)
                                .append(" dropped, ")
                                .append(reason)
                                .append(": \t")
                                .append(n));
    }
}
