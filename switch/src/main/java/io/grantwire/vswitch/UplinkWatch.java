package io.grantwire.vswitch;

import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.vswitch.forward.Uplink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the uplinks' links now and then, tells of changes, and so finds out in time when a card
 * has gone. The monitor's thread calls.
 */
final class UplinkWatch {
    private static final Logger PORT = LoggerFactory.getLogger("PORT");
    private static final long PERIOD = Duration.ofSeconds(1).toNanos();

    private final List<Uplink> uplinks;
    private final boolean[] known;
    private final boolean[] up;
    private final boolean[] failed;
    private final boolean[] gone;
    private long next = System.nanoTime();

    UplinkWatch(List<Uplink> uplinks) {
        this.uplinks = List.copyOf(uplinks);
        this.known = new boolean[uplinks.size()];
        this.up = new boolean[uplinks.size()];
        this.failed = new boolean[uplinks.size()];
        this.gone = new boolean[uplinks.size()];
    }

    /**
     * Looks, when it is time.
     *
     * @return uplinks whose devices have gone, or are wanted back by the kernel, since the last
     *     look
     */
    List<Uplink> tick() {
        long now = System.nanoTime();
        if (now - next < 0) {
            return List.of();
        }
        next = now + PERIOD;
        List<Uplink> went = new ArrayList<>();
        for (int i = 0; i < up.length; i++) {
            if (!gone[i]) {
                look(i);
                gone[i] = uplinks.get(i).device().isGone();
                if (gone[i]) {
                    went.add(uplinks.get(i));
                }
            }
        }
        return went;
    }

    private void look(int i) {
        Uplink uplink = uplinks.get(i);
        EthLink link = uplink.link();
        if (uplink.failed()) {
            if (!failed[i]) {
                failed[i] = true;
                PORT.error("Port {} Link Down: uplink {} is not used any more", i, uplink.spec());
            }
        } else if (link.up() != up[i] || !known[i]) {
            known[i] = true;
            up[i] = link.up();
            if (up[i]) {
                PORT.info(
                        "Port {} Link Up - speed {} Mbps - {}",
                        i,
                        link.speedMbps(),
                        link.fullDuplex() ? "full-duplex" : "half-duplex");
            } else {
                PORT.warn("Port {} Link Down", i);
            }
        }
    }
}
