package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreWatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore watch}: the paths that change, one a line, until Ctrl-C. */
@Command(
        name = "grantwire xenstore watch",
        description = "Show the paths that change, one a line, until Ctrl-C.")
final class WatchAction extends StoreAction {
    private static final Duration LOOK = Duration.ofMillis(50);

    @Option(names = "-n", paramLabel = "N", description = "End after N lines.")
    int count = -1;

    @Parameters(arity = "1..*", paramLabel = "KEY")
    List<String> keys;

    @Override
    int run(Xenstore store, Context context) throws InterruptedException {
        List<XenstoreWatch> watches = new ArrayList<>();
        for (String key : keys) {
            watches.add(store.watch(key, key));
        }
        int left = count;
        while (left != 0 && !context.stop().requested()) {
            boolean any = false;
            for (XenstoreWatch watch : watches) {
                XenstoreWatch.Event event = watches.size() == 1 ? watch.await(LOOK) : watch.poll();
                if (event != null && left != 0) {
                    any = true;
                    context.out().println(event.path());
                    left--;
                }
            }
            if (!any && watches.size() > 1) {
                context.stop().await(LOOK);
            }
        }
        return ExitStatus.OK;
    }
}
