package io.grantwire.pmd.domain;

import java.nio.file.Path;
import java.util.Optional;

/** Opens this process's {@link Domain}: on real Xen, or on an emulated host. */
public final class Domains {
    private Domains() {}

    /**
     * Opens a domain.
     *
     * @return the domain, owned by the caller; its description says which host was chosen and why
     * @throws DomainException when there is none; the message says what was looked for and what to
     *     type
     */
    public static Domain open(DomainOptions options) {
        return switch (options.mode()) {
            case XEN -> {
                Optional<String> reason = XenDomain.unavailable();
                if (reason.isPresent()) {
                    throw new DomainException(
                            "no Xen here: " + reason.get() + "; without Xen add: --emulated");
                }
                yield XenDomain.open(options.domid());
            }
            case EMULATED -> emulated(options, "");
            case AUTO -> {
                if (options.dir() != null) {
                    yield emulated(options, "");
                }
                Optional<String> reason = XenDomain.unavailable();
                yield reason.isEmpty()
                        ? XenDomain.open(options.domid())
                        : emulated(options, " (no Xen here: " + reason.get() + ")");
            }
        };
    }

    private static Domain emulated(DomainOptions options, String why) {
        Path dir = options.dir() == null ? EmulatedHost.defaultDir() : options.dir();
        return EmulatedDomain.open(HostDirectory.of(dir), options.domid(), options.name(), why);
    }

    /** Why real Xen cannot be used on this machine; empty when it seems that it can. */
    public static Optional<String> xenUnavailable() {
        return XenDomain.unavailable();
    }
}
