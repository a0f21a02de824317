package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XsWire;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The CONTROL request, as far as {@code xenstore-control} has a use for it here: {@code help},
 * {@code check}, {@code print}, {@code quota} and {@code quota <domid>}. Anything else is EINVAL.
 */
final class ControlCommands {
    private static final Logger LOG = LoggerFactory.getLogger(ControlCommands.class);

    private static final String HELP =
            """
            check          \s
            print           <string>
            quota           [<domid>]
            help           \s
            """;

    private ControlCommands() {}

    static byte[] run(List<String> words, Store store, DomainTable domains) throws StoreError {
        String command = words.isEmpty() ? "" : words.getFirst();
        int parameters = words.size() - 1;
        if (command.equals("help") && parameters == 0) {
            return XsWire.join(HELP);
        }
        if (command.equals("check") && parameters == 0) {
            Tree tree = store.tree();
            if (!Tree.of(tree.root(), tree.specials()).usage().equals(tree.usage())) {
                LOG.error("the store's accounts do not fit its contents: {}", tree.usage());
            }
            return XsWire.join(XsWire.OK);
        }
        if (command.equals("print") && parameters == 1) {
            LOG.info("control: {}", printable(words.get(1)));
            return XsWire.join(XsWire.OK);
        }
        if (command.equals("quota") && parameters == 0) {
            return XsWire.join(limits(store.quotas()));
        }
        if (command.equals("quota") && parameters == 1) {
            return XsWire.join(usage(store, domains.require(Payloads.leadingNumber(words.get(1)))));
        }
        throw new StoreError(StoreErrno.EINVAL);
    }

    private static String limits(Quotas q) {
        return "Quota settings:\n"
                + line("nodes", q.nodes(), "Nodes per domain")
                + line("watches", q.watches(), "Watches per domain")
                + line("transactions", q.transactions(), "Active transactions per domain")
                + line("outstanding", q.outstanding(), "Outstanding replies per connection")
                + line("transaction-nodes", q.transactionNodes(), "Nodes touched per transaction")
                + line("memory", q.memory(), "Total memory per domain")
                + line("node-permissions", q.permissions(), "Permissions per node")
                + line("path-max", q.pathLength(), "Length of a node path")
                + line("node-size", q.nodeSize(), "Size of a node");
    }

    private static String usage(Store store, StoreDomain domain) {
        return "Domain "
                + domain.domid()
                + ":\n"
                + line("nodes", store.tree().usage().nodes(domain.domid()), "")
                + line("watches", domain.watches(), "")
                + line("transactions", domain.transactions(), "")
                + line("memory", store.memoryOf(domain), "");
    }

    private static String line(String name, long value, String meaning) {
        return String.format("%-17s: %8d %s", name, value, meaning).stripTrailing() + "\n";
    }

    private static String printable(String text) {
        return text.replaceAll("[^ -~]", "?");
    }
}
