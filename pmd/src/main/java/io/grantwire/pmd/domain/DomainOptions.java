package io.grantwire.pmd.domain;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Which domain a process wants to be.
 *
 * @param mode real or emulated, or whichever there is
 * @param dir the emulated host's directory, null for {@link EmulatedHost#defaultDir()}; naming one
 *     with {@link Mode#AUTO} asks for the emulated host there
 * @param domid the domain id, or {@link #ANY_DOMID}; on real Xen the id is what it is, and another
 *     one asked for is an error
 * @param name what an emulated guest is called in the store; may be empty
 */
public record DomainOptions(Mode mode, Path dir, int domid, String name) {
    /** A domain id that leaves the choice: this domain's own, or any free guest. */
    public static final int ANY_DOMID = -1;

    /** Where to look for a host. */
    public enum Mode {
        /** Real Xen when its devices are there, else the emulated host. */
        AUTO,
        /** Real Xen only. */
        XEN,
        /** The emulated host only. */
        EMULATED
    }

    /** Checks the parts. */
    public DomainOptions {
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(name, "name");
        if (domid < ANY_DOMID) {
            throw new IllegalArgumentException("domain id " + domid + " is negative");
        }
    }

    /** A guest on whatever host there is. */
    public static DomainOptions guest() {
        return new DomainOptions(Mode.AUTO, null, ANY_DOMID, "");
    }

    /** The control domain on whatever host there is. */
    public static DomainOptions control() {
        return new DomainOptions(Mode.AUTO, null, 0, "");
    }

    /** Any free guest of the emulated host in a directory. */
    public static DomainOptions emulatedGuest(Path dir, String name) {
        return new DomainOptions(Mode.EMULATED, dir, ANY_DOMID, name);
    }

    /** The control domain of the emulated host in a directory. */
    public static DomainOptions emulatedControl(Path dir) {
        return new DomainOptions(Mode.EMULATED, dir, 0, "");
    }

    /** The same as another domain. */
    public DomainOptions withDomid(int other) {
        return new DomainOptions(mode, dir, other, name);
    }
}
