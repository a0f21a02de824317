package io.grantwire.xenstore.server;

import java.nio.file.Path;
import java.util.Objects;
import java.util.function.IntFunction;

/**
 * How an embedded store is set up.
 *
 * @param socket where domain 0 connects; the file is made with mode 0600 in a directory that exists
 * @param quotas what each other domain may use
 * @param introducedSockets where a domain's socket goes when a client of domain 0 introduces the
 *     domain over the wire (INTRODUCE); null when such a domain gets none
 */
public record ServerOptions(Path socket, Quotas quotas, IntFunction<Path> introducedSockets) {

    /** Checks that what is needed is there. */
    public ServerOptions {
        Objects.requireNonNull(socket, "socket");
        Objects.requireNonNull(quotas, "quotas");
    }

    /** The usual quotas, and no sockets for domains that are introduced over the wire. */
    public static ServerOptions at(Path socket) {
        return new ServerOptions(socket, Quotas.DEFAULT, null);
    }

    /** With other quotas. */
    public ServerOptions withQuotas(Quotas other) {
        return new ServerOptions(socket, other, introducedSockets);
    }

    /** With sockets for domains that are introduced over the wire. */
    public ServerOptions withIntroducedSockets(IntFunction<Path> other) {
        return new ServerOptions(socket, quotas, other);
    }
}
