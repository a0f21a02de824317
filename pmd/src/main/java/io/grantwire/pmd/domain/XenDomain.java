package io.grantwire.pmd.domain;

import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.EvtchnDevice;
import io.grantwire.gntalloc.GntallocSharer;
import io.grantwire.gntalloc.GntdevMapper;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.xenstore.Reconnection;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import io.grantwire.xenstore.Xenstores;
import java.util.Optional;

/** This machine's own domain on real Xen. */
final class XenDomain implements Domain {
    private static final int MAX_DOMID = 0x7fef;

    private final int domid;
    private final String description;
    private final Xenstore store;
    private final Lazy<GrantSharer> sharer = new Lazy<>("gntalloc", GntallocSharer::open);
    private final Lazy<GrantMapper> mapper = new Lazy<>("gntdev", GntdevMapper::open);
    private final Lazy<EventChannel> events = new Lazy<>("evtchn", EvtchnDevice::open);

    private XenDomain(int domid, Xenstore store) {
        this.domid = domid;
        this.store = store;
        this.description = "Xen domain " + domid + ", xenstore by " + store.description();
    }

    /**
     * Why this machine is no Xen domain that can be used; empty when it seems to be one. Sharing
     * and mapping each need only one of the two devices.
     */
    static Optional<String> unavailable() {
        Optional<String> sharing = GntallocSharer.unavailable();
        Optional<String> mapping = GntdevMapper.unavailable();
        if (sharing.isPresent() && mapping.isPresent()) {
            return Optional.of(sharing.get() + "; " + mapping.get());
        }
        return Xenstores.hostUnavailable();
    }

    /**
     * Connects to the store and asks it who we are.
     *
     * @param wanted the domain id this must be, or -1
     * @throws DomainException when it is another one, or the store does not say
     */
    static XenDomain open(int wanted) {
        Xenstore store;
        try {
            store = Xenstores.reconnecting(Xenstores.Options.host(), Reconnection.DEFAULT);
        } catch (XenstoreException e) {
            throw new DomainException(e.getMessage(), e);
        }
        try {
            int domid = ownDomid(store);
            if (wanted >= 0 && wanted != domid) {
                throw new DomainException(
                        "this machine is Xen domain "
                                + domid
                                + ", not "
                                + wanted
                                + (wanted == 0
                                        ? "; the switch runs in the control domain"
                                        : "; leave the domain id away on real Xen"));
            }
            return new XenDomain(domid, store);
        } catch (RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private static int ownDomid(Xenstore store) {
        String text;
        try {
            text = store.readString("domid");
        } catch (XenstoreException e) {
            throw new DomainException("this domain's id: " + e.getMessage(), e);
        }
        try {
            int domid = text == null ? -1 : Integer.parseInt(text.strip());
            if (domid >= 0 && domid <= MAX_DOMID) {
                return domid;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new DomainException(
                "the key domid of this domain "
                        + (text == null ? "is missing" : "is no domain id")
                        + "; was the domain made by xl? In domain 0 see: xenstore-ls"
                        + " /local/domain");
    }

    @Override
    public int domid() {
        return domid;
    }

    @Override
    public boolean emulated() {
        return false;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Xenstore xenstore() {
        return store;
    }

    @Override
    public GrantSharer sharer() {
        return sharer.get();
    }

    @Override
    public GrantMapper mapper() {
        return mapper.get();
    }

    @Override
    public EventChannel events() {
        return events.get();
    }

    @Override
    public void close() {
        events.close();
        mapper.close();
        sharer.close();
        store.close();
    }
}
