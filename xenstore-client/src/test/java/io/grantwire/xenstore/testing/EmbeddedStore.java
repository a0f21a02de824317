package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.server.ServerOptions;
import io.grantwire.xenstore.server.XenstoreServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The server of this project. */
public final class EmbeddedStore implements StoreUnderTest {
    private final Path directory;
    private final XenstoreServer server;

    private EmbeddedStore(Path directory) {
        this.directory = directory;
        this.server = XenstoreServer.start(ServerOptions.at(directory.resolve("dom0")));
    }

    public static EmbeddedStore start() {
        try {
            return new EmbeddedStore(Files.createTempDirectory("gw-store"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Path socket() {
        return server.socket();
    }

    @Override
    public Path introduce(int domid) {
        Path socket = directory.resolve("dom" + domid);
        if (!server.introduced(domid)) {
            server.introduce(domid, socket);
        }
        return socket;
    }

    @Override
    public void destroy(int domid) {
        server.release(domid);
    }

    /** The server itself, to take it away and bring it back. */
    public XenstoreServer server() {
        return server;
    }

    @Override
    public void close() {
        server.close();
        TestFiles.removeTree(directory);
    }
}
