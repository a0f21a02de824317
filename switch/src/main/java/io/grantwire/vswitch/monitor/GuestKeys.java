package io.grantwire.vswitch.monitor;

import io.grantwire.bindings.NativeException;
import io.grantwire.gntalloc.GrantMapException;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.pmd.xenvirt.IndexPage;
import io.grantwire.pmd.xenvirt.Parsed;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.xenstore.Xenstore;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Reads one guest's keys and maps what they name. Everything here was written by the guest: what is
 * not as it should be becomes a {@link PortException} that names the key.
 */
final class GuestKeys {
    private final Xenstore store;
    private final GrantMapper mapper;
    private final int domid;
    private final String base;

    GuestKeys(Xenstore store, GrantMapper mapper, int domid, String base) {
        this.store = store;
        this.mapper = mapper;
        this.domid = domid;
        this.base = base;
    }

    String path(String key) {
        return base + "/" + key;
    }

    /** The name that the toolstack gave the guest, which cannot change it; null for none. */
    String guestName() {
        return store.readString(StorePaths.DOMAINS + "/" + domid + "/name");
    }

    /** A key's value, or null. */
    String text(String key) {
        return store.readString(path(key));
    }

    /** A key's value, which has to be there, parsed. */
    <T> T value(String key, Function<String, Parsed<T>> parser) {
        String text = text(key);
        if (text == null) {
            throw new PortException(RejectReason.KEY_MISSING, path(key) + ": no such key");
        }
        return switch (parser.apply(text)) {
            case Parsed.Ok<T>(T value) -> value;
            case Parsed.Bad<T>(String reason) ->
                    throw new PortException(RejectReason.KEY_MALFORMED, path(key) + ": " + reason);
        };
    }

    /** The grants of a region whose index pages a key names. */
    int[] region(String key) {
        int[] index = value(key, XenvirtKeys::parseGrefs);
        try (GrantMapping pages = map(key, index, false)) {
            List<MemorySegment> list = new ArrayList<>();
            for (int i = 0; i < index.length; i++) {
                list.add(
                        pages.segment()
                                .asSlice((long) i * IndexPage.PAGE_SIZE, IndexPage.PAGE_SIZE));
            }
            return switch (IndexPage.decodeAll(list)) {
                case Parsed.Ok<int[]>(int[] grefs) -> grefs;
                case Parsed.Bad<int[]>(String reason) ->
                        throw new PortException(RejectReason.INDEX_PAGE, path(key) + ": " + reason);
            };
        }
    }

    /** Maps pages that a key named. */
    GrantMapping map(String key, int[] grefs, boolean writable) {
        try {
            return mapper.map(domid, grefs, writable);
        } catch (GrantMapException | NativeException e) {
            throw new PortException(
                    RejectReason.GRANT_REFUSED, path(key) + ": " + e.getMessage(), e);
        }
    }
}
