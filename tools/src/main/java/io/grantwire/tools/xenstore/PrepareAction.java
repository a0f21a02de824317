package io.grantwire.tools.xenstore;

import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstorePermission;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code xenstore prepare}: makes the directory that a guest's xenvirt front end writes its keys
 * to. The toolstacks since Xen 4.2 give guests a {@code control} directory they cannot write to.
 */
@Command(
        name = "grantwire xenstore prepare",
        description =
                "Make control/dpdk for a guest, owned by it, so that its front end can start.")
final class PrepareAction extends StoreAction {
    @Parameters(
            arity = "0..*",
            paramLabel = "DOMID",
            description = "The guests; or one with --domid.")
    List<Integer> guests = List.of();

    @Override
    void check() {
        if (guests.isEmpty() && options.domid != null) {
            guests = List.of(options.domid);
            // Here it names the guest, and the rights needed are domain 0's.
            options.domid = null;
        }
        if (guests.isEmpty()) {
            throw new UsageException("Say which guest: grantwire xenstore prepare --domid N");
        }
        for (int guest : guests) {
            if (guest < 1 || guest > 0x7fef) {
                throw new UsageException("Not a guest's domain id: " + guest);
            }
        }
    }

    @Override
    int run(Xenstore store, Context context) {
        for (int guest : guests) {
            String path = XenvirtKeys.base(guest);
            if (!store.exists(store.domainPath(guest))) {
                throw new io.grantwire.tools.cli.CommandFailure(
                        "there is no domain " + guest + " (" + store.domainPath(guest) + ")");
            }
            store.transaction(t -> {
                t.mkdir(path);
                t.setPermissions(path, List.of(new XenstorePermission(guest, false, false)));
                return null;
            });
            context.out().println(path + " belongs to domain " + guest);
        }
        return ExitStatus.OK;
    }
}
