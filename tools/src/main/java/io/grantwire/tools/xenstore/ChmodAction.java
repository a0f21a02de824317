package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstorePermission;
import io.grantwire.xenstore.XenstoreTransaction;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore chmod}: all in one transaction. */
@Command(
        name = "grantwire xenstore chmod",
        description = "Replace the permissions of a key.",
        footer = {
            "",
            "A mode is n (none), r (read), w (write) or b (both) and a domain id. The first mode names"
                    + " the owner, who may do everything, and what domains that are not listed may do."
        })
final class ChmodAction extends StoreAction {
    @Option(names = "-u", description = "Change the directories above too.")
    boolean upwards;

    @Option(names = "-r", description = "Change everything below too.")
    boolean recursive;

    @Parameters(index = "0", paramLabel = "KEY")
    String key;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "MODE")
    List<String> modes;

    private List<XenstorePermission> permissions;

    @Override
    void check() {
        try {
            permissions = modes.stream().map(XenstorePermission::parse).toList();
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage());
        }
    }

    @Override
    int run(Xenstore store, Context context) {
        store.transaction(t -> {
            t.setPermissions(key, permissions);
            if (upwards) {
                for (String p = StorePaths.parent(key);
                        p != null && !p.equals("/");
                        p = StorePaths.parent(p)) {
                    t.setPermissions(p, permissions);
                }
            }
            if (recursive) {
                changeBelow(t, key);
            }
            return null;
        });
        return ExitStatus.OK;
    }

    private void changeBelow(XenstoreTransaction t, String path) {
        for (String name : t.directory(path)) {
            String child = StorePaths.child(path, name);
            t.setPermissions(child, permissions);
            changeBelow(t, child);
        }
    }
}
