package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.xenstore.Xenstore;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore write}: all pairs in one transaction. */
@Command(
        name = "grantwire xenstore write",
        description = "Write keys, all at once, making those that are missing.")
final class WriteAction extends StoreAction {
    @Option(names = "-R", description = "Take values as they are, backslashes too.")
    boolean raw;

    @Parameters(arity = "1..*", paramLabel = "KEY VALUE")
    List<String> pairs;

    @Override
    void check() {
        if (pairs.size() % 2 != 0) {
            throw new UsageException("Give a value for each key: KEY VALUE …");
        }
    }

    @Override
    int run(Xenstore store, Context context) {
        store.transaction(t -> {
            for (int i = 0; i < pairs.size(); i += 2) {
                String text = pairs.get(i + 1);
                t.write(
                        pairs.get(i),
                        raw ? text.getBytes(StandardCharsets.UTF_8) : StoreValues.typed(text));
            }
            return null;
        });
        return ExitStatus.OK;
    }
}
