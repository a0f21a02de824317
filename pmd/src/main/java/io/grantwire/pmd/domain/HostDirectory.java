package io.grantwire.pmd.domain;

import io.grantwire.bindings.Process;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where an emulated host keeps its sockets: the names in its directory, and the rules for the
 * directory itself. It belongs to one user, who alone may enter it, since whoever reaches the
 * sockets is a domain of the host.
 */
final class HostDirectory {
    private static final String LOCK = "host.lock";
    private static final String PID = "host.pid";
    private static final String STORE = "xenstored.sock";
    private static final String HYPERVISOR = "hypervisor.sock";
    private static final String DOMAIN = "dom";

    /** A switch's control socket, which stays behind when the switch is killed. */
    private static final String SWITCH = "switch.sock";

    private static final Set<PosixFilePermission> PRIVATE =
            PosixFilePermissions.fromString("rwx------");

    /** What sockaddr_un holds, less the terminating NUL. */
    private static final int MAX_SOCKET_PATH = 107;

    private static final int LONGEST_NAME = ("/" + DOMAIN + "32751/" + STORE).length();

    private final Path dir;

    private HostDirectory(Path dir) {
        this.dir = dir;
    }

    /**
     * Names a directory, which need not exist.
     *
     * @throws DomainException when its path is too long for sockets in it
     */
    static HostDirectory of(Path dir) {
        Path absolute = dir.toAbsolutePath().normalize();
        int length = absolute.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length + LONGEST_NAME > MAX_SOCKET_PATH) {
            throw new DomainException(
                    "directory "
                            + absolute
                            + ": its path has "
                            + length
                            + " bytes, sockets in it allow "
                            + (MAX_SOCKET_PATH - LONGEST_NAME)
                            + "; choose a shorter one with --dir");
        }
        return new HostDirectory(absolute);
    }

    Path path() {
        return dir;
    }

    Path lockFile() {
        return dir.resolve(LOCK);
    }

    Path pidFile() {
        return dir.resolve(PID);
    }

    Path hypervisorSocket() {
        return dir.resolve(HYPERVISOR);
    }

    /** The directory of a guest's own socket. */
    Path domainDirectory(int domid) {
        return dir.resolve(DOMAIN + domid);
    }

    /** Where a domain reaches the store with its own rights. */
    Path xenstoreSocket(int domid) {
        return (domid == 0 ? dir : domainDirectory(domid)).resolve(STORE);
    }

    /**
     * Makes the directory, or checks that an existing one is ours and nobody else may write it. The
     * sockets in it are for their owner only, so others may look into it.
     *
     * @return whether it was made
     */
    boolean prepare() {
        try {
            if (!Files.exists(dir)) {
                if (dir.getParent() != null) {
                    Files.createDirectories(dir.getParent());
                }
                Files.createDirectory(dir, PosixFilePermissions.asFileAttribute(PRIVATE));
                return true;
            }
            if (!Files.isDirectory(dir)) {
                throw new DomainException(dir + " is not a directory; choose one with --dir");
            }
            refuseForeign();
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(dir);
            if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                    || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw new DomainException(
                        "directory "
                                + dir
                                + " can be written by other users; give the host one of its own, or"
                                + " type: chmod go-w "
                                + dir);
            }
            return false;
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /**
     * Refuses a directory of another user, whose host could do to us what a hypervisor can; one
     * that is not there is none.
     */
    void refuseForeign() {
        try {
            int owner = (int) Files.getAttribute(dir, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            if (owner != Process.euid()) {
                throw new DomainException(
                        "directory "
                                + dir
                                + " belongs to user "
                                + owner
                                + "; choose one of yours with --dir");
            }
        } catch (NoSuchFileException e) {
            // Whoever opens a socket in it will say so.
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** A file system's exception often has no more to say than the file's name: add why. */
    private DomainException failure(IOException e) {
        String why =
                switch (e) {
                    case AccessDeniedException denied -> "permission denied";
                    case NoSuchFileException missing -> "no such file or directory";
                    case FileAlreadyExistsException file -> "it is no directory";
                    case FileSystemException other when other.getReason() != null ->
                            other.getReason();
                    default -> e.getMessage();
                };
        String where =
                e instanceof FileSystemException f && f.getFile() != null ? f.getFile() : dir + "";
        return new DomainException(
                "directory "
                        + dir
                        + ": "
                        + (where.equals(dir.toString()) ? "" : where + ": ")
                        + why
                        + "; choose another one with --dir",
                e);
    }

    /** Makes a guest's own directory. */
    void prepareDomain(int domid) {
        try {
            Path own = domainDirectory(domid);
            if (!Files.isDirectory(own)) {
                Files.createDirectory(own, PosixFilePermissions.asFileAttribute(PRIVATE));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** Removes a guest's own directory. */
    void removeDomain(int domid) {
        deleteDomain(domainDirectory(domid));
    }

    /** Removes what a host makes here, except the lock; everything else stays. */
    void clean() {
        delete(hypervisorSocket());
        delete(dir.resolve(SWITCH));
        delete(xenstoreSocket(0));
        delete(pidFile());
        try (DirectoryStream<Path> domains = Files.newDirectoryStream(dir, DOMAIN + "*")) {
            for (Path domain : domains) {
                if (domain.getFileName().toString().matches(DOMAIN + "[0-9]+")) {
                    deleteDomain(domain);
                }
            }
        } catch (NoSuchFileException e) {
            // Nothing to clean.
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static void deleteDomain(Path own) {
        delete(own.resolve(STORE));
        delete(own);
    }

    /** Deletes a file or an empty directory; what is not there or not empty stays. */
    static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            org.slf4j.LoggerFactory.getLogger(EmulatedHost.class)
                    .debug("{} stays: {}", path, e.toString());
        }
    }

    @Override
    public String toString() {
        return dir.toString();
    }
}
