package io.grantwire.tools.doctor;

import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import io.grantwire.xenstore.Xenstores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The store of this Xen host, asked: how it is reached, and where front ends may write keys. */
final class StoreProbe {
    private static final String AREA = "Xen";

    private StoreProbe() {}

    /**
     * @param control whether this is domain 0
     */
    static List<Finding> look(boolean control) {
        Optional<String> reason = Xenstores.hostUnavailable();
        if (reason.isPresent()) {
            return List.of(Finding.lack(AREA, "xenstore", reason.get(), start(control)));
        }
        try (Xenstore store = Xenstores.host()) {
            String domid = store.readString("domid");
            List<Finding> found = new ArrayList<>();
            found.add(
                    Finding.ok(
                            AREA,
                            "xenstore",
                            "by " + store.description() + "; this is domain " + domid));
            if (control) {
                found.addAll(guests(store));
            } else if (domid != null && domid.matches("[0-9]{1,5}")) {
                found.add(own(store, Integer.parseInt(domid)));
            }
            return found;
        } catch (XenstoreException e) {
            return List.of(Finding.lack(AREA, "xenstore", e.getMessage(), start(control)));
        }
    }

    private static String start(boolean control) {
        return control ? "sudo systemctl start xenstored" : "sudo modprobe xenfs";
    }

    /** Whether this guest's front ends may write where every back end looks. */
    static Finding own(Xenstore store, int domid) {
        String base = XenvirtKeys.base(domid);
        return isOf(store, base, domid)
                ? Finding.ok(AREA, XenvirtKeys.DIRECTORY, "belongs to this guest")
                : Finding.lack(
                        AREA,
                        XenvirtKeys.DIRECTORY,
                        "not for this guest: its keys go to "
                                + XenvirtKeys.ALTERNATIVE_DIRECTORY
                                + ", where only Grantwire's switch looks",
                        "grantwire xenstore prepare --domid " + domid + "   (in domain 0)");
    }

    /** A finding for each guest. */
    static List<Finding> guests(Xenstore store) {
        List<Finding> found = new ArrayList<>();
        for (String name : store.directory("/local/domain")) {
            if (name.equals("0") || !name.matches("[1-9][0-9]{0,4}")) {
                continue;
            }
            int domid = Integer.parseInt(name);
            String what = "guest " + domid;
            String called = store.readString("/local/domain/" + domid + "/name");
            String who = called == null ? "" : XenvirtKeys.quote(called) + ", ";
            found.add(
                    isOf(store, XenvirtKeys.base(domid), domid)
                            ? Finding.ok(AREA, what, who + XenvirtKeys.DIRECTORY + " belongs to it")
                            : Finding.lack(
                                    AREA,
                                    what,
                                    who
                                            + XenvirtKeys.DIRECTORY
                                            + " is not its own: its keys go to "
                                            + XenvirtKeys.ALTERNATIVE_DIRECTORY,
                                    "sudo grantwire xenstore prepare --domid " + domid));
        }
        return found;
    }

    private static boolean isOf(Xenstore store, String path, int domid) {
        try {
            return store.exists(path) && store.permissions(path).getFirst().domid() == domid;
        } catch (XenstoreException e) {
            // Refused, or gone meanwhile: either way not this guest's.
            return false;
        }
    }
}
