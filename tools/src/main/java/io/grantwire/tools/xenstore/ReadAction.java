package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore read}. */
@Command(name = "grantwire xenstore read", description = "Show the values of keys.")
final class ReadAction extends StoreAction {
    @Option(names = "-p", description = "Put the path in front of each value.")
    boolean prefix;

    @Option(
            names = "-R",
            description = "Show values as they are and nothing more, no line break either.")
    boolean raw;

    @Parameters(arity = "1..*", paramLabel = "KEY")
    List<String> keys;

    @Override
    int run(Xenstore store, Context context) {
        for (String key : keys) {
            byte[] value = store.read(key);
            if (prefix) {
                context.out().print(key + ": ");
            }
            if (raw) {
                context.out().write(value, 0, value.length);
            } else {
                context.out().println(StoreValues.shown(value));
            }
        }
        return ExitStatus.OK;
    }
}
