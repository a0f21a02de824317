package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreTransaction;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore rm}: all in one transaction. */
@Command(name = "grantwire xenstore rm", description = "Remove keys and all below them.")
final class RmAction extends StoreAction {
    @Option(names = "-t", description = "Remove the directories above too that are empty then.")
    boolean tidy;

    @Parameters(arity = "1..*", paramLabel = "KEY")
    List<String> keys;

    @Override
    int run(Xenstore store, Context context) {
        store.transaction(t -> {
            for (String key : keys) {
                t.rm(key);
                if (tidy) {
                    tidyAbove(t, key);
                }
            }
            return null;
        });
        return ExitStatus.OK;
    }

    private static void tidyAbove(XenstoreTransaction t, String key) {
        String above = StorePaths.parent(key);
        while (above != null
                && !above.equals("/")
                && t.read(above).length == 0
                && t.directory(above).isEmpty()) {
            t.rm(above);
            above = StorePaths.parent(above);
        }
    }
}
