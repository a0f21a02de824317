package io.grantwire.tools.testpmd;

import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import io.grantwire.tools.testpmd.fwd.Engines;
import io.grantwire.tools.testpmd.fwd.FrameLengths;
import java.util.List;

/** The commands that change how forwarding is done. */
final class SetCommands {
    private static final String SECTION = "Configuration";

    private SetCommands() {}

    static List<Rule> rules(Session s) {
        return List.of(
                Rule.of(
                        SECTION,
                        "set fwd <mode:" + Engines.names("|") + "|mac_swap> [retry]",
                        "Chooses the forwarding mode; retry: wait for room instead of dropping.",
                        v -> fwd(s, v)),
                Rule.of(
                        SECTION,
                        "set burst <n:uint>",
                        "Sets the frames per burst, 1 to 512.",
                        v -> burst(s, v.number("n"))),
                Rule.of(
                        SECTION,
                        "set burst tx delay <us:uint> retry <n:uint>",
                        "Sets the wait between two tries to send, and how many tries (set fwd …"
                                + " retry).",
                        v -> {
                            requireStopped(s);
                            s.config.retryDelayUs = v.number("us");
                            s.config.retryNum = v.number("n");
                        }),
                Rule.of(
                        SECTION,
                        "set txpkts <lengths:list>",
                        "Sets the segment lengths of generated frames, in bytes.",
                        v -> {
                            requireStopped(s);
                            s.config.segmentLengths = FrameLengths.parse(v.text("lengths"));
                        }),
                Rule.of(
                        SECTION,
                        "set verbose <level:uint>",
                        "0: silent; 1: rxonly prints every frame's header.",
                        v -> s.setVerbose(v.number("level"))),
                Rule.of(
                        SECTION,
                        "set nbcore <n:uint>",
                        "Sets how many lcores forward.",
                        v -> nbcore(s, v.number("n"))),
                Rule.of(
                        SECTION,
                        "set portlist <ports:list>",
                        "Chooses the ports that forward, in order.",
                        v -> portlist(s, v)),
                Rule.of(
                        SECTION,
                        "set eth-peer <port:uint> <mac:mac>",
                        "Sets the destination of what a port sends (mode mac).",
                        v -> {
                            requireStopped(s);
                            s.ports(v.number("port"));
                            s.config.setPeer(v.number("port"), mac(v.text("mac")));
                        }),
                Rule.of(
                        SECTION,
                        "set promisc <port:port> <state:on|off>",
                        "Receive frames for any address, or only for the port's.",
                        v -> s.ports(v.port("port")).forEach(p -> p.device.setPromiscuous(on(v)))),
                Rule.of(
                        SECTION,
                        "set allmulti <port:port> <state:on|off>",
                        "Receive all multicast frames, or only those asked for.",
                        v -> s.ports(v.port("port")).forEach(p -> p.device.setAllMulticast(on(v)))),
                Rule.of(
                        SECTION,
                        "set default",
                        "Goes back to the configuration that the command line gave.",
                        v -> defaults(s)));
    }

    private static boolean on(Values v) {
        return v.text("state").equals("on");
    }

    private static long mac(String text) {
        return io.grantwire.pmd.net.MacAddress.parse(text).value();
    }

    private static void requireStopped(Session s) {
        if (s.forwarding()) {
            throw new CommandException("Please stop forwarding first (stop)");
        }
    }

    private static void fwd(Session s, Values v) {
        requireStopped(s);
        s.config.engine = Engines.find(v.text("mode"));
        s.config.retry = v.has("retry");
        s.out.println(
                "Set "
                        + s.config.engine.name()
                        + " packet forwarding mode"
                        + (s.config.retry ? " with retry" : ""));
    }

    private static void burst(Session s, int n) {
        requireStopped(s);
        if (n < 1 || n > TestpmdOptions.MAX_BURST) {
            throw new CommandException(
                    "Bad arguments: a burst has 1 to " + TestpmdOptions.MAX_BURST + " frames");
        }
        s.config.burst = n;
        s.out.println("Number of packets per burst set to " + n);
    }

    private static void nbcore(Session s, int n) {
        requireStopped(s);
        if (n < 1 || n > s.config.cores.size()) {
            throw new CommandException(
                    "Bad arguments: nb forwarding cores must be 1 to " + s.config.cores.size());
        }
        s.config.nbCores = n;
        s.out.println("Number of forwarding cores set to " + n);
    }

    private static void portlist(Session s, Values v) {
        requireStopped(s);
        int[] list = v.list("ports");
        for (int i = 0; i < list.length; i++) {
            s.ports(list[i]);
            for (int j = 0; j < i; j++) {
                if (list[j] == list[i]) {
                    throw new CommandException("Bad arguments: port " + list[i] + " twice");
                }
            }
        }
        s.config.portList = list;
    }

    private static void defaults(Session s) {
        requireStopped(s);
        ForwardConfig fresh = new ForwardConfig(s.config.cores, s.options);
        s.config.engine = fresh.engine;
        s.config.retry = fresh.retry;
        s.config.burst = fresh.burst;
        s.config.retryDelayUs = fresh.retryDelayUs;
        s.config.retryNum = fresh.retryNum;
        s.config.segmentLengths = fresh.segmentLengths;
        s.config.nbCores = fresh.nbCores;
        s.config.portList = fresh.portList;
    }
}
