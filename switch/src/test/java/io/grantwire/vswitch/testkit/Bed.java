package io.grantwire.vswitch.testkit;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** An emulated host in a directory of its own, with what a test opens on it. */
public final class Bed implements AutoCloseable {
    private static final long PATIENCE = 30_000_000_000L;

    private final Path dir;
    private final EmulatedHost host;
    private final Domain dom0;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    /** Starts the host. */
    public Bed() {
        try {
            dir = Files.createTempDirectory("gwsw");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        host = EmulatedHost.start(dir.resolve("h"));
        dom0 = Domains.open(DomainOptions.emulatedControl(host.dir()));
    }

    /** The host. */
    public EmulatedHost host() {
        return host;
    }

    /** The control domain. */
    public Domain dom0() {
        return dom0;
    }

    /** The directory, for files of the test as well. */
    public Path dir() {
        return dir;
    }

    /** A guest domain. */
    public Domain guest(int domid) {
        return keep(
                Domains.open(
                        DomainOptions.emulatedGuest(host.dir(), "VM" + domid).withDomid(domid)));
    }

    /** Closes something before the host, last opened first. */
    public <T extends AutoCloseable> T keep(T closeable) {
        opened.push(closeable);
        return closeable;
    }

    /** Waits until something is so. */
    public static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("in vain: " + what);
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** Waits until something is so, telling at the end what was there instead. */
    public static void await(String what, BooleanSupplier condition, Supplier<?> instead) {
        try {
            await(what, condition);
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "; there is " + instead.get(), e);
        }
    }

    @Override
    public void close() throws IOException {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        dom0.close();
        host.close();
        try (var all = Files.walk(dir)) {
            for (Path p : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(p);
            }
        }
    }
}
