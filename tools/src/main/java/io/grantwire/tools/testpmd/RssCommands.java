package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import io.grantwire.tools.testpmd.layout.NicLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The commands about receive-side scaling: what is hashed, the key, and the redirection table. */
final class RssCommands {
    private static final String SECTION = "RSS";
    private static final Pattern ENTRY = Pattern.compile("\\(([0-9]+),([0-9]+)\\)");

    private RssCommands() {}

    static List<Rule> rules(Session s) {
        String types =
                Arrays.stream(RssType.values())
                        .map(NicLayout::flowType)
                        .collect(Collectors.joining("|"));
        return List.of(
                Rule.of(
                        SECTION,
                        "show port <port:uint> rss-hash [key]",
                        "Shows what is hashed, and the key.",
                        v -> s.out.print(NicLayout.rssHash(port(s, v).device.rss(), v.has("key")))),
                Rule.of(
                        SECTION,
                        "show port <port:uint> rss reta <size:uint> [<masks:masks>]",
                        "Shows the redirection table; masks pick entries, 64 to a mask.",
                        v -> showTable(s, v)),
                Rule.of(
                        SECTION,
                        "port config all rss <what:all|default|ip|tcp|udp|none>",
                        "Chooses the packets that are spread over the queues.",
                        v -> choose(s, v.text("what"))),
                Rule.of(
                        SECTION,
                        "port config <port:uint> rss-hash-key <type:" + types + "> <key:hex>",
                        "Changes the key, which is one for all kinds of packets.",
                        v -> key(s, v)),
                Rule.of(
                        SECTION,
                        "port config <port:uint> rss reta <entries:reta>",
                        "Changes entries of the redirection table: (HASH,QUEUE)[,(HASH,QUEUE)].",
                        v -> table(s, v)));
    }

    private static Port port(Session s, Values v) {
        return s.ports(v.number("port")).getFirst();
    }

    private static void choose(Session s, String what) {
        for (Port port : s.ports()) {
            RssConfig chosen = port.settings.chooseRss(what);
            if (port.configured()) {
                port.device.setRss(chosen);
            }
        }
    }

    private static void key(Session s, Values v) {
        Port port = port(s, v);
        int size = port.device.capabilities().rssKeySize();
        byte[] key = HexFormat.of().parseHex(v.text("key"));
        if (key.length != size) {
            throw new CommandException(
                    "The key of port " + port.id + " has " + size + " bytes, not " + key.length);
        }
        RssConfig changed = new RssConfig(port.device.rss().types(), key);
        port.device.setRss(changed);
        port.settings.noteRss(changed);
    }

    private static void table(Session s, Values v) {
        Port port = port(s, v);
        int[] table = port.device.rssTable();
        if (table.length == 0) {
            throw new CommandException("Port " + port.id + " has no redirection table");
        }
        Matcher entry = ENTRY.matcher(v.text("entries"));
        while (entry.find()) {
            int hash = Integer.parseInt(entry.group(1));
            int queue = Integer.parseInt(entry.group(2));
            if (hash >= table.length) {
                throw new CommandException(
                        "Invalid hash index " + hash + ": the table has " + table.length);
            }
            if (queue >= port.settings.rxQueues) {
                throw new CommandException(
                        "Invalid queue "
                                + queue
                                + ": port "
                                + port.id
                                + " has "
                                + port.settings.rxQueues);
            }
            table[hash] = queue;
        }
        port.device.setRssTable(table);
    }

    private static void showTable(Session s, Values v) {
        Port port = port(s, v);
        int[] table = port.device.rssTable();
        if (table.length == 0 || v.number("size") != table.length) {
            throw new CommandException(
                    table.length == 0
                            ? "Port " + port.id + " has no redirection table"
                            : "Invalid redirection table size: it is " + table.length);
        }
        long[] masks = new long[(table.length + Long.SIZE - 1) / Long.SIZE];
        if (v.has("masks")) {
            String list = v.text("masks");
            String[] given = list.substring(1, list.length() - 1).split(",");
            for (int i = 0; i < Math.min(given.length, masks.length); i++) {
                masks[i] = Long.parseUnsignedLong(given[i].replaceFirst("^0[xX]", ""), 16);
            }
        } else {
            Arrays.fill(masks, -1L);
        }
        s.out.print(NicLayout.reta(table, masks));
    }
}
