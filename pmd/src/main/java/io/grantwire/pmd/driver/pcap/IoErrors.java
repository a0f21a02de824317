package io.grantwire.pmd.driver.pcap;

import io.grantwire.bindings.Errno;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Turns the JDK's I/O exceptions back into the error numbers they came from. */
final class IoErrors {
    private static final String[] KNOWN = {
        "ENOSPC",
        "EDQUOT",
        "EFBIG",
        "EIO",
        "EROFS",
        "EISDIR",
        "ENOTDIR",
        "ELOOP",
        "ENAMETOOLONG",
        "EMFILE",
        "ENFILE",
        "ETXTBSY",
        "ENXIO",
        "EPERM",
        "EINVAL",
        "ESTALE",
        "EBADF"
    };

    private IoErrors() {}

    /** The error as {@code ENOSPC (No space left on device)}. */
    static String describe(IOException e) {
        if (e instanceof NoSuchFileException) {
            return describe("ENOENT");
        }
        if (e instanceof AccessDeniedException) {
            return describe("EACCES");
        }
        String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        for (String name : KNOWN) {
            int number = Errno.numberOf(name);
            if (number > 0 && Errno.messageOf(number).equals(reason)) {
                return describe(name);
            }
        }
        return "EIO (" + (reason == null ? e.getClass().getSimpleName() : reason) + ")";
    }

    private static String describe(String name) {
        return name + " (" + Errno.messageOf(Errno.numberOf(name)) + ")";
    }
}
