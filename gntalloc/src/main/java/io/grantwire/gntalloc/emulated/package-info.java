/**
 * Grants and event channels without Xen, between real processes. {@link
 * io.grantwire.gntalloc.emulated.Hypervisor} is the stand-in for Xen, one per emulated host; {@link
 * io.grantwire.gntalloc.emulated.HypervisorClient} is a process's place in it.
 *
 * <p>Pages are in memory files that the hypervisor makes and both ends map, so packets pass without
 * it; it is asked only to share, map and bind. Names that begin with Broker are its side, which
 * runs on one thread; names that begin with Emulated are the client's.
 */
package io.grantwire.gntalloc.emulated;
