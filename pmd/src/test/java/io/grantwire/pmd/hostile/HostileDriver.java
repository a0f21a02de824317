package io.grantwire.pmd.hostile;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.pmd.xenvirt.IndexPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import java.util.ArrayList;
import java.util.List;

/**
 * A front end that writes its keys and pages by hand, in the original's order, so that a test can
 * get any of them wrong: see {@link KeyAttack}, {@link RingAttack} and {@link FieldFlipper}. Close
 * the domain to give everything back.
 */
public final class HostileDriver {
    private final Domain guest;
    private final String base;

    /** The flag page of the device announced last. */
    public GrantShare flag;

    /** The receive ring of the device announced last. */
    public RawRing rx;

    /** The transmit ring of the device announced last. */
    public RawRing tx;

    /** A guest without keys. */
    public HostileDriver(Domain guest) {
        this.guest = guest;
        this.base = XenvirtKeys.base(guest.domid());
    }

    /** The absolute path of a key. */
    public String path(String key) {
        return base + "/" + key;
    }

    /** Writes a key. */
    public HostileDriver put(String key, String value) {
        guest.xenstore().write(path(key), value);
        return this;
    }

    /** Reads a key. */
    public String read(String key) {
        return guest.xenstore().readString(path(key));
    }

    /** Removes a key. */
    public void remove(String key) {
        guest.xenstore().rm(path(key));
    }

    /** The guest. */
    public Domain guest() {
        return guest;
    }

    /** Grants pages to domain 0. */
    public GrantShare share(int pages) {
        return guest.sharer().share(0, pages, true);
    }

    /** Lists grants on index pages; gives the value of a key that names those. */
    public String index(int[] grefs) {
        GrantShare pages = share(IndexPage.pagesFor(Math.max(grefs.length, 1)));
        int[] own = new int[pages.pages()];
        for (int i = 0; i < own.length; i++) {
            IndexPage.encode(
                    pages.segment().asSlice((long) i * 4096, 4096), grefs, i * IndexPage.RECORDS);
            own[i] = pages.gref(i);
        }
        return XenvirtKeys.formatGrefs(own);
    }

    /** The grants of shared pages. */
    public static int[] grefs(GrantShare share) {
        int[] grefs = new int[share.pages()];
        for (int i = 0; i < grefs.length; i++) {
            grefs[i] = share.gref(i);
        }
        return grefs;
    }

    /** Makes a pool of so many pages at an address. */
    public GrantShare pool(int number, int pages, long va) {
        GrantShare share = share(pages);
        put(XenvirtKeys.mempoolGref(number), index(grefs(share)));
        put(XenvirtKeys.mempoolVa(number), XenvirtKeys.formatVa(va));
        return share;
    }

    /** Makes a device's rings and writes their keys. */
    public HostileDriver rings(int device) {
        GrantShare txPages = share(3);
        GrantShare rxPages = share(3);
        tx = new RawRing(txPages.segment());
        rx = new RawRing(rxPages.segment());
        put(XenvirtKeys.txVringGref(device), index(grefs(txPages)));
        put(XenvirtKeys.rxVringGref(device), index(grefs(rxPages)));
        return this;
    }

    /** Writes a device's address and makes its flag page; what is left is the start key. */
    public HostileDriver flag(int device, String mac) {
        put(XenvirtKeys.etherAddr(device), mac);
        flag = share(1);
        flag.clearByteOnUnmap(FlagPage.LIVE_OFFSET);
        FlagPage.raise(flag.segment());
        put(XenvirtKeys.vringFlag(device), Integer.toString(flag.gref(0)));
        return this;
    }

    /** Writes a device's start key. */
    public void start(int device) {
        put(XenvirtKeys.start(device), XenvirtKeys.START);
    }

    /** All of the above for a device of a guest that has a pool. */
    public void device(int device, String mac) {
        rings(device).flag(device, mac).start(device);
    }

    /** The keys there are. */
    public List<String> keys() {
        return new ArrayList<>(guest.xenstore().directory(base));
    }
}
