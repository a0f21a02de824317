package io.grantwire.tools.testpmd;

import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.CommandTable;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The commands that start and stop, help, and the table of all commands. */
final class ControlCommands {
    private static final String CONTROL = "Control";
    private static final String PORTS = "Ports";

    private final Session s;
    private CommandTable table;

    private ControlCommands(Session s) {
        this.s = s;
    }

    /** All commands there are, working on a session. */
    static CommandTable table(Session session) {
        ControlCommands control = new ControlCommands(session);
        List<Rule> all = new ArrayList<>(control.rules());
        all.addAll(ShowCommands.rules(session));
        all.addAll(SetCommands.rules(session));
        all.addAll(control.portRules());
        all.addAll(PortConfigCommands.rules(session));
        all.addAll(VlanCommands.rules(session));
        all.addAll(RssCommands.rules(session));
        all.addAll(CsumCommands.rules(session));
        control.table = new CommandTable(all);
        return control.table;
    }

    private List<Rule> rules() {
        return List.of(
                Rule.of(CONTROL, "start", "Starts forwarding.", v -> s.startForwarding(0)),
                Rule.of(
                        CONTROL,
                        "start tx_first [<bursts:uint>]",
                        "Sends a burst (or so many) out of every port, then starts forwarding.",
                        v -> s.startForwarding(v.has("bursts") ? v.number("bursts") : 1)),
                Rule.of(CONTROL, "stop", "Stops forwarding and shows what it did.", v -> stop()),
                Rule.of(CONTROL, "quit", "Stops everything and ends.", v -> s.quit()),
                Rule.of(
                        CONTROL,
                        "help [<section:word>]",
                        "Shows the commands, all or of one section.",
                        this::help));
    }

    private List<Rule> portRules() {
        return List.of(
                Rule.of(
                        PORTS,
                        "port start <port:port>",
                        "Starts a port.",
                        v -> s.startPorts(s.ports(v.port("port")))),
                Rule.of(
                        PORTS,
                        "port stop <port:port>",
                        "Stops a port; forwarding must not use it.",
                        v -> s.stopPorts(s.ports(v.port("port")))),
                Rule.of(
                        PORTS,
                        "port close <port:port>",
                        "Gives a stopped port up for good.",
                        v -> s.closePorts(s.ports(v.port("port")))));
    }

    private void stop() {
        try {
            s.stopForwarding();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException("Interrupted");
        }
    }

    private void help(Values v) {
        Map<String, List<Rule>> sections = table.sections();
        String wanted = v.has("section") ? v.text("section").toLowerCase(Locale.ROOT) : "all";
        boolean found = false;
        for (Map.Entry<String, List<Rule>> section : sections.entrySet()) {
            String name = section.getKey().toLowerCase(Locale.ROOT);
            if (wanted.equals("all") || name.startsWith(wanted)) {
                found = true;
                s.out.println();
                s.out.println(section.getKey() + ":");
                for (Rule rule : section.getValue()) {
                    s.out.println("  " + rule.shownSyntax());
                    s.out.println("      " + rule.help());
                }
            }
        }
        if (!found) {
            throw new CommandException(
                    "Bad arguments: no such section: "
                            + wanted
                            + "; there are all, "
                            + String.join(", ", sections.keySet()).toLowerCase(Locale.ROOT));
        }
        s.out.println();
    }
}
