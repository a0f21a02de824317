package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code xenstore mkdir}. */
@Command(name = "grantwire xenstore mkdir", description = "Make keys with empty values.")
final class MkdirAction extends StoreAction {
    @Parameters(arity = "1..*", paramLabel = "PATH")
    List<String> paths;

    @Override
    int run(Xenstore store, Context context) {
        paths.forEach(store::mkdir);
        return ExitStatus.OK;
    }
}
