package io.grantwire.xenstore;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The watches of a connection that comes back: which there are to be, and on which of the
 * connections that follow each other the store has each. Guarded by the lock of its user.
 */
final class KeptWatches {
    /** One watch. */
    static final class Kept {
        private final String token;
        private final String path;
        // The last connection that the store has it on; null as long as none ever had it.
        private Object on;
        private XsFailure refused;

        private Kept(String token, String path) {
            this.token = token;
            this.path = path;
        }

        String token() {
            return token;
        }

        String path() {
            return path;
        }

        /** Whether the store has it on this connection. */
        boolean isOn(Object connection) {
            return connection != null && on == connection;
        }

        void put(Object connection) {
            on = connection;
        }

        /** Whether no store has ever had it: its maker still waits for the answer. */
        boolean fresh() {
            return on == null;
        }

        /** Why the store will not have it, or null. */
        XsFailure refused() {
            return refused;
        }
    }

    private final Map<String, Kept> watches = new LinkedHashMap<>();

    /** A watch that there is to be from now on. */
    Kept add(String token, String path) {
        Kept watch = new Kept(token, path);
        watches.put(token, watch);
        return watch;
    }

    /** A watch that there is not to be any more; null when there was none. */
    Kept remove(String token) {
        return watches.remove(token);
    }

    /** A watch that its maker waits for is refused. */
    void refuse(Kept watch, XsFailure why) {
        watch.refused = why;
        watches.remove(watch.token);
    }

    boolean has(Kept watch) {
        return watches.get(watch.token) == watch;
    }

    /** One that a connection does not have yet, or null. */
    Kept missingOn(Object connection) {
        for (Kept watch : watches.values()) {
            if (watch.on != connection) {
                return watch;
            }
        }
        return null;
    }

    int count() {
        return watches.size();
    }
}
