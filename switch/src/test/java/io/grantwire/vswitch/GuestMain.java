package io.grantwire.vswitch;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import java.nio.file.Path;

/** A guest in a process of its own, for {@link SwitchIT}: echoes what it gets to one address. */
public final class GuestMain {
    private GuestMain() {}

    /** Arguments: directory, domid, MAC, MAC to send to; ends when killed. */
    public static void main(String[] args) {
        int domid = Integer.parseInt(args[1]);
        long mac = Long.parseLong(args[2], 16);
        long peer = Long.parseLong(args[3], 16);
        Domain guest =
                Domains.open(
                        DomainOptions.emulatedGuest(Path.of(args[0]), "VM" + domid)
                                .withDomid(domid));
        FrontEnd f = new FrontEnd(guest, 0, mac);
        System.out.println("up");
        while (true) {
            for (byte[] frame : f.receive()) {
                f.sendSurely(Frames.frame(peer, mac, frame.length, Frames.seed(frame)));
            }
            Thread.onSpinWait();
        }
    }
}
