package io.grantwire.vswitch;

import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.forward.GuestDevice;
import io.grantwire.vswitch.forward.PoolFeed;
import io.grantwire.vswitch.forward.Uplink;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who has which VMDq pool of which card. Every device gets one of each card, as long as there are
 * some; for the others the card's pool 0 is sorted in software. A pool that becomes free goes to
 * the next device without.
 *
 * <p>A pool changes hands in steps, so that no frame is lost or goes astray: the workers are told
 * of it, then the card; the card is told that it ends, then the workers, and when those have let go
 * it may be another's. What is still in it then is sorted like any other frame.
 *
 * <p>The monitor's thread calls; cards take it while other threads poll them.
 */
final class VmdqPools {
    private static final Logger DATA = LoggerFactory.getLogger("DATA");

    private static final class Card {
        final Uplink uplink;
        final List<PoolFeed> feeds = new ArrayList<>();

        /** Pools that are somebody's, or that workers may still poll. */
        final BitSet taken = new BitSet();

        /** VLANs of devices without a pool whose group frames pool 0 has to get. */
        final Set<Integer> listed = new HashSet<>();

        Card(Uplink uplink) {
            this.uplink = uplink;
            taken.set(0);
        }

        PoolFeed of(GuestDevice device) {
            for (PoolFeed feed : feeds) {
                if (feed.device() == device) {
                    return feed;
                }
            }
            return null;
        }
    }

    private final List<Uplink> uplinks;
    private final List<Card> cards = new ArrayList<>();
    private final boolean flood;
    private final List<PoolFeed> leaving = new ArrayList<>();
    private final Set<GuestDevice> toldSoftware = new HashSet<>();

    /**
     * @param uplinks all uplinks; those with pools count
     * @param flood whether devices get group frames of their VLAN
     */
    VmdqPools(List<Uplink> uplinks, boolean flood) {
        this.uplinks = List.copyOf(uplinks);
        this.flood = flood;
        for (Uplink uplink : uplinks) {
            if (uplink.pools() > 1) {
                cards.add(new Card(uplink));
            }
        }
    }

    /** The pools and their devices, for the workers. */
    List<PoolFeed> feeds() {
        List<PoolFeed> all = new ArrayList<>();
        cards.forEach(card -> all.addAll(card.feeds));
        return all;
    }

    /**
     * Reserves free pools for devices that have none. The workers are told next, then {@link
     * #program}.
     *
     * @param registered the devices that get frames, those that come first first
     */
    List<PoolFeed> reserve(Collection<GuestDevice> registered) {
        List<PoolFeed> fresh = new ArrayList<>();
        for (Card card : cards) {
            for (GuestDevice device : registered) {
                int pool = card.taken.nextClearBit(0);
                if (pool >= card.uplink.pools() || card.uplink.failed()) {
                    break;
                }
                if (card.of(device) == null) {
                    PoolFeed feed = new PoolFeed(card.uplink, pool, device);
                    card.taken.set(pool);
                    card.feeds.add(feed);
                    fresh.add(feed);
                }
            }
        }
        return fresh;
    }

    /**
     * Has the cards sort for pools that the workers know of.
     *
     * @param registered as for {@link #reserve}; those without a pool are told of
     * @return whether all went well; otherwise {@link #feeds} has fewer
     */
    boolean program(List<PoolFeed> fresh, Collection<GuestDevice> registered) {
        boolean all = true;
        for (PoolFeed feed : fresh) {
            all &= program(feed);
        }
        for (Card card : cards) {
            list(card, registered);
            for (GuestDevice device : registered) {
                if (card.of(device) == null && toldSoftware.add(device)) {
                    DATA.info(
                            "({}) no VMDq pool of port {} is left: its frames are sorted in"
                                    + " software",
                            device.number(),
                            card.uplink.number());
                }
            }
        }
        return all;
    }

    private boolean program(PoolFeed feed) {
        GuestDevice device = feed.device();
        Uplink uplink = feed.uplink();
        try {
            uplink.device().vmdqAssign(feed.pool(), new MacAddress(device.mac()), device.vlan());
        } catch (EthDeviceException e) {
            DATA.warn(
                    "({}) its frames are sorted in software: {}", device.number(), e.getMessage());
            Card card = card(uplink);
            card.feeds.remove(feed);
            leaving.add(feed);
            toldSoftware.add(device);
            return false;
        }
        toldSoftware.remove(device);
        DATA.info(
                "({}) VMDq pool {} of port {} has been assigned",
                device.number(),
                feed.pool(),
                uplink.number());
        return true;
    }

    private Card card(Uplink uplink) {
        return cards.stream().filter(c -> c.uplink == uplink).findFirst().orElseThrow();
    }

    /** Has pool 0 of a card get the group frames of devices without a pool. */
    private void list(Card card, Collection<GuestDevice> registered) {
        Set<Integer> wanted = new HashSet<>();
        if (flood) {
            for (GuestDevice device : registered) {
                if (card.of(device) == null) {
                    wanted.add(device.vlan());
                }
            }
        }
        for (int vlan : Set.copyOf(card.listed)) {
            if (!wanted.contains(vlan)) {
                card.listed.remove(vlan);
                setVlanFilter(card, vlan, false);
            }
        }
        for (int vlan : wanted) {
            if (card.listed.add(vlan)) {
                setVlanFilter(card, vlan, true);
            }
        }
    }

    private static void setVlanFilter(Card card, int vlan, boolean on) {
        try {
            card.uplink.device().setVlanFilter(vlan, on);
        } catch (EthDeviceException e) {
            DATA.debug("port {}: {}", card.uplink.number(), e.getMessage());
        }
    }

    /** Takes a device's pools away; the workers are told next, then {@link #released}. */
    void release(GuestDevice device) {
        toldSoftware.remove(device);
        for (Card card : cards) {
            PoolFeed feed = card.of(device);
            if (feed != null) {
                card.feeds.remove(feed);
                leaving.add(feed);
                try {
                    card.uplink.device().vmdqRelease(feed.pool());
                } catch (EthDeviceException e) {
                    DATA.warn("({}) {}", device.number(), e.getMessage());
                }
            }
        }
    }

    /** The workers have let go of a device's pools: they may be another's. */
    void released(GuestDevice device) {
        leaving.removeIf(feed -> {
            if (feed.device() != device) {
                return false;
            }
            card(feed.uplink()).taken.clear(feed.pool());
            return true;
        });
    }

    /** A card has gone: its pools are nobody's. The workers are told next. */
    void forget(Uplink uplink) {
        cards.removeIf(card -> card.uplink == uplink);
        leaving.removeIf(feed -> feed.uplink() == uplink);
    }

    /** The pool that a device has of each uplink; 0 where its frames are sorted in software. */
    List<Integer> poolsOf(GuestDevice device) {
        List<Integer> pools = new ArrayList<>();
        for (Uplink uplink : uplinks) {
            int pool = 0;
            for (Card card : cards) {
                PoolFeed feed = card.uplink == uplink ? card.of(device) : null;
                pool = feed != null ? feed.pool() : pool;
            }
            pools.add(pool);
        }
        return pools;
    }
}
