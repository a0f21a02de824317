package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;

/** {@code xenstore}. */
public final class XenstoreCommand implements Command {
    @Override
    public int run(String[] args, Context context) {
        return 0;
    }
}
