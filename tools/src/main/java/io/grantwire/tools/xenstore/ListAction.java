package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore list}. */
@Command(
        name = "grantwire xenstore list",
        description = "Show the names of the keys directly below a path.")
final class ListAction extends StoreAction {
    @Option(names = "-p", description = "Put the path in front of each name.")
    boolean prefix;

    @Parameters(arity = "1..*", paramLabel = "PATH")
    List<String> paths;

    @Override
    int run(Xenstore store, Context context) {
        for (String path : paths) {
            for (String name : store.directory(path)) {
                context.out().println(prefix ? path + "/" + name : name);
            }
        }
        return ExitStatus.OK;
    }
}
