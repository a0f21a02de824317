package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.xenstore.Xenstore;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One thing to do with the store. */
abstract class StoreAction {
    @Mixin StoreOptions options = new StoreOptions();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this page.")
    boolean help;

    /** Checks what picocli cannot, before the store is opened. */
    void check() {}

    /** Does it; returns the exit status. */
    abstract int run(Xenstore store, Context context) throws Exception;
}
