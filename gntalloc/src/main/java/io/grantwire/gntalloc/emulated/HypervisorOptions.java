package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.ResourceLimits;

/**
 * What the emulated hypervisor allows each domain.
 *
 * @param pagesPerDomain pages a domain may share at once, also counting those that a peer still has
 *     mapped; like gntalloc's module parameter {@code limit}
 * @param mappingsPerDomain pages a domain may have mapped at once; like Xen's maptrack frames
 * @param portsPerDomain event channel ports a domain may have
 * @param descriptorsPerDomain open files that the hypervisor spends on one guest; a share takes one
 *     for every 4096 pages, an event channel two. Domain 0 gets 16 times as many
 * @param connections processes that may be connected at once
 */
public record HypervisorOptions(
        int pagesPerDomain,
        int mappingsPerDomain,
        int portsPerDomain,
        int descriptorsPerDomain,
        int connections) {
    private static final int MAX_PAGES =
            HypervisorWire.GREFS_PER_PROCESS - GrantTableV1.FIRST_USABLE;

    /** Checks the ranges. */
    public HypervisorOptions {
        range("pagesPerDomain", pagesPerDomain, 1, MAX_PAGES);
        range("mappingsPerDomain", mappingsPerDomain, 1, Integer.MAX_VALUE);
        range("portsPerDomain", portsPerDomain, 1, 131_071);
        range("descriptorsPerDomain", descriptorsPerDomain, 1, Integer.MAX_VALUE);
        range("connections", connections, 1, 2047);
    }

    private static void range(String what, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    what + " must be " + min + " to " + max + ", not " + value);
        }
    }

    /** Generous limits: 256 MiB of shared pages per domain, Xen's own for the rest. */
    public static HypervisorOptions defaults() {
        int files = (int) Math.min(ResourceLimits.openFiles(), 1 << 20);
        return new HypervisorOptions(
                65_536, 262_144, 1023, Math.clamp(files / 64, 128, 2048), 1024);
    }

    /** The same with another limit on shared pages. */
    public HypervisorOptions withPagesPerDomain(int pages) {
        return new HypervisorOptions(
                pages, mappingsPerDomain, portsPerDomain, descriptorsPerDomain, connections);
    }

    /** The same with another limit on mapped pages. */
    public HypervisorOptions withMappingsPerDomain(int pages) {
        return new HypervisorOptions(
                pagesPerDomain, pages, portsPerDomain, descriptorsPerDomain, connections);
    }

    /** The same with another limit on ports. */
    public HypervisorOptions withPortsPerDomain(int ports) {
        return new HypervisorOptions(
                pagesPerDomain, mappingsPerDomain, ports, descriptorsPerDomain, connections);
    }

    /** The same with another limit on the hypervisor's open files. */
    public HypervisorOptions withDescriptorsPerDomain(int descriptors) {
        return new HypervisorOptions(
                pagesPerDomain, mappingsPerDomain, portsPerDomain, descriptors, connections);
    }

    /** The same with another limit on connections. */
    public HypervisorOptions withConnections(int processes) {
        return new HypervisorOptions(
                pagesPerDomain, mappingsPerDomain, portsPerDomain, descriptorsPerDomain, processes);
    }
}
