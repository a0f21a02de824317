/**
 * Xen's grants and event channels for user space: {@link io.grantwire.gntalloc.GrantSharer} offers
 * pages to another domain, {@link io.grantwire.gntalloc.GrantMapper} maps what others offer, {@link
 * io.grantwire.gntalloc.EventChannel} wakes the other end. Implemented here on the kernel's device
 * files, and without Xen in {@link io.grantwire.gntalloc.emulated}.
 */
package io.grantwire.gntalloc;
