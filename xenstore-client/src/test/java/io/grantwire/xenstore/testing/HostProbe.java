package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import io.grantwire.xenstore.Xenstores;

/** A program that says what store this host offers; run with an environment of its own. */
public final class HostProbe {
    private HostProbe() {}

    public static void main(String[] arguments) {
        System.out.println(Xenstores.hostUnavailable().orElse("available"));
        try (Xenstore store = Xenstores.host()) {
            System.out.println(store.description());
            System.out.println(store.readString("/probe"));
        } catch (XenstoreException e) {
            System.out.println(e.getMessage());
        }
    }
}
