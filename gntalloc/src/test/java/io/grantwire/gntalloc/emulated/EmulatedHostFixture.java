package io.grantwire.gntalloc.emulated;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A hypervisor in a fresh directory, and clients of it that are closed with it. */
public final class EmulatedHostFixture implements AutoCloseable {
    private final Path directory;
    private final Hypervisor hypervisor;
    private final List<AutoCloseable> owned = new ArrayList<>();

    public EmulatedHostFixture() {
        this(DomainHooks.NONE, HypervisorOptions.defaults());
    }

    public EmulatedHostFixture(DomainHooks hooks, HypervisorOptions options) {
        try {
            directory = Files.createTempDirectory("grantwire-test");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        hypervisor = Hypervisor.start(socket(), hooks, options);
    }

    public Path socket() {
        return directory.resolve("hypervisor.sock");
    }

    public Hypervisor hypervisor() {
        return hypervisor;
    }

    public HypervisorClient connect(int domid) {
        return own(HypervisorClient.connect(socket(), domid, "test-" + domid));
    }

    /** Closes it with the fixture, before what was owned earlier. */
    public <T extends AutoCloseable> T own(T resource) {
        owned.add(resource);
        return resource;
    }

    @Override
    public void close() {
        for (AutoCloseable resource : owned.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        hypervisor.close();
        try {
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("left behind in " + directory, e);
        }
    }
}
