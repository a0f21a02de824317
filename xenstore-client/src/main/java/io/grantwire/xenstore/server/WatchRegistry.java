package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The watches of all connections, found by the path they are on: an event looks only at its own
 * path and those above, however many watches there are.
 *
 * <p>Events go out connection by connection in the order in which these appeared, and within one in
 * the order of its watches, as xenstored sends them. One thread at a time.
 */
final class WatchRegistry implements Change.Listener {
    /** A connection that has watches. */
    interface Watcher {
        /** Grows from one connection to the next. */
        long number();

        /** On whose behalf it watches. */
        StoreDomain domain();

        /** Takes an event. */
        void event(String path, String token);
    }

    private record Watch(Watcher watcher, long number, String path, String token, int prefix) {
        /** The changed path as the watch was registered: relative when its path was. */
        String shown(String changed) {
            return changed.substring(prefix);
        }
    }

    private static final Comparator<Watch> ORDER =
            Comparator.<Watch>comparingLong(w -> w.watcher.number())
                    .thenComparingLong(Watch::number);

    private final Map<String, List<Watch>> byPath = new HashMap<>();
    private final Map<Watcher, List<Watch>> byWatcher = new HashMap<>();
    private final Quotas quotas;
    private long number;

    WatchRegistry(Quotas quotas) {
        this.quotas = quotas;
    }

    /**
     * Registers a watch; the caller sends the first event once it has replied.
     *
     * @param path the absolute path or special name
     * @param asGiven how the client wrote it
     */
    void add(Watcher watcher, String path, String asGiven, String token) throws StoreError {
        List<Watch> own = byWatcher.getOrDefault(watcher, List.of());
        for (Watch w : own) {
            if (w.path.equals(path) && w.token.equals(token)) {
                throw new StoreError(StoreErrno.EEXIST);
            }
        }
        StoreDomain domain = watcher.domain();
        if (!domain.privileged() && domain.watches() >= quotas.watches()) {
            throw new StoreError(StoreErrno.ENOSPC);
        }
        Watch watch = new Watch(watcher, number++, path, token, path.length() - asGiven.length());
        byWatcher.computeIfAbsent(watcher, w -> new ArrayList<>()).add(watch);
        byPath.computeIfAbsent(path, p -> new ArrayList<>(1)).add(watch);
        domain.watchAdded(path, token);
    }

    void remove(Watcher watcher, String path, String token) throws StoreError {
        List<Watch> own = byWatcher.getOrDefault(watcher, List.of());
        for (Iterator<Watch> i = own.iterator(); i.hasNext(); ) {
            Watch w = i.next();
            if (w.path.equals(path) && w.token.equals(token)) {
                i.remove();
                forget(w);
                return;
            }
        }
        throw new StoreError(StoreErrno.ENOENT);
    }

    /** Removes all watches of a connection. */
    void removeAll(Watcher watcher) {
        List<Watch> own = byWatcher.remove(watcher);
        if (own != null) {
            own.forEach(this::forget);
        }
    }

    private void forget(Watch watch) {
        List<Watch> there = byPath.get(watch.path);
        there.remove(watch);
        if (there.isEmpty()) {
            byPath.remove(watch.path);
        }
        watch.watcher.domain().watchRemoved(watch.path, watch.token);
    }

    @Override
    public void changed(Change change) {
        List<Watch> hit = matching(change);
        Watcher asked = null;
        boolean visible = false;
        for (Watch watch : hit) {
            if (watch.watcher != asked) {
                asked = watch.watcher;
                visible = change.visibleTo(asked.domain());
            }
            if (visible) {
                asked.event(watch.shown(change.path()), watch.token);
            }
        }
    }

    private List<Watch> matching(Change change) {
        String path = change.path();
        if (change.exact() || XenstorePath.isSpecial(path)) {
            return List.copyOf(byPath.getOrDefault(path, List.of()));
        }
        List<Watch> hit = new ArrayList<>();
        if (!byPath.isEmpty()) {
            for (String p = path; p != null; p = XenstorePath.parent(p)) {
                hit.addAll(byPath.getOrDefault(p, List.of()));
            }
        }
        hit.sort(ORDER);
        return hit;
    }
}
