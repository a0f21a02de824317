package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.nio.file.Path;
import java.util.Optional;

/** The ways from a test to a store that listens on a unix socket. */
public enum Via {
    SOCKET {
        @Override
        public Xenstore open(Path socket) {
            return Xenstores.socket(socket);
        }
    },
    LIBRARY {
        @Override
        public Optional<String> unavailable() {
            return Xenstores.libraryUnavailable();
        }

        @Override
        public Xenstore open(Path socket) {
            NativeEnvironment.set("XENSTORED_PATH", socket.toString());
            return Xenstores.library();
        }
    },
    /** A character device that answers as the kernel's xenbus device does. */
    DEVICE {
        @Override
        public Optional<String> unavailable() {
            return XenbusPty.unavailable();
        }

        @Override
        public Xenstore open(Path socket) {
            return XenbusPty.open(socket);
        }
    };

    /** Why this machine does not offer it; empty if it does. */
    public Optional<String> unavailable() {
        return Optional.empty();
    }

    public abstract Xenstore open(Path socket);
}
