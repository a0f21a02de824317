package io.grantwire.xenstore.server;

import io.grantwire.bindings.Errno;
import io.grantwire.xenstore.XenstoreException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Listening unix sockets in the file system. The socket is bound inside a directory that only its
 * owner can enter, gets mode 0600, and is then moved to its place: at no time can another user
 * connect, and who sees the file can connect at once.
 */
final class SocketFile {
    /** {@code sun_path} of {@code struct sockaddr_un}, less the NUL. */
    private static final int PATH_MAX = 107;

    private SocketFile() {}

    /**
     * Listens at a path. What a dead server left there is replaced; a live one is not.
     *
     * @throws XenstoreException when the path is in use, too long, or cannot be made
     */
    static ServerSocketChannel listen(Path path) {
        Path hidden = path.resolveSibling(".x" + randomLetters());
        Path made = hidden.resolve("s");
        checkLength(path);
        checkLength(made);
        checkFree(path);
        ServerSocketChannel channel = null;
        try {
            Files.createDirectory(
                    hidden,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            channel.bind(UnixDomainSocketAddress.of(made));
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
            channel.configureBlocking(false);
            Files.move(made, path, StandardCopyOption.ATOMIC_MOVE);
            return channel;
        } catch (IOException e) {
            closeQuietly(channel);
            throw failure(
                    path, "EIO", "could not make the socket (" + e + "): check the directory");
        } finally {
            removeQuietly(made);
            removeQuietly(hidden);
        }
    }

    /** Few letters, since the path has to stay short. */
    private static String randomLetters() {
        return Integer.toString(ThreadLocalRandom.current().nextInt(36 * 36 * 36 * 36), 36);
    }

    private static void checkLength(Path path) {
        if (path.toString().getBytes(StandardCharsets.UTF_8).length > PATH_MAX) {
            throw failure(
                    path,
                    "ENAMETOOLONG",
                    "a socket's path has at most " + PATH_MAX + " bytes: take a shorter directory");
        }
    }

    private static void checkFree(Path path) {
        BasicFileAttributes there;
        try {
            there =
                    Files.readAttributes(
                            path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            return; // nothing there; what else is wrong shows when it is made
        }
        if (!there.isOther()) {
            throw failure(path, "EEXIST", "there is a file that is no socket: remove it first");
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            return; // nobody listens any more
        }
        throw failure(
                path, "EADDRINUSE", "another xenstore server listens there: stop it, or use it");
    }

    private static XenstoreException failure(Path path, String errno, String hint) {
        return new XenstoreException("listen", path.toString(), Errno.numberOf(errno), hint);
    }

    /** Stops listening and removes the file. */
    static void close(ServerSocketChannel channel, Path path) {
        closeQuietly(channel);
        removeQuietly(path);
    }

    private static void closeQuietly(ServerSocketChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // There is nothing left to do with it.
                return;
            }
        }
    }

    private static void removeQuietly(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // A leftover socket file is replaced by the next server.
            return;
        }
    }
}
