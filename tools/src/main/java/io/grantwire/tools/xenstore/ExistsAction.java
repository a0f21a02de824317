package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code xenstore exists}. */
@Command(
        name = "grantwire xenstore exists",
        description =
                "Succeed when all keys exist, fail with status 1 and without a word otherwise.")
final class ExistsAction extends StoreAction {
    @Parameters(arity = "1..*", paramLabel = "KEY")
    List<String> keys;

    @Override
    int run(Xenstore store, Context context) {
        return keys.stream().allMatch(store::exists) ? ExitStatus.OK : ExitStatus.FAILED;
    }
}
