/**
 * The driver for virtio network devices on the PCI bus, by the modern interface: split rings,
 * mergeable receive buffers, several queue pairs, event suppression.
 *
 * <p>Where to begin: {@link io.grantwire.pmd.driver.virtio.VirtioNetDevice}, then the two queues;
 * the ring itself is {@link io.grantwire.pmd.virtio}'s. Sections cited are those of <em>Virtual I/O
 * Device (VIRTIO) Version 1.2</em>, and names are its.
 *
 * <p>The device is not trusted: it may be a process of somebody else's. Everything it writes is
 * read once, checked, and then used.
 */
package io.grantwire.pmd.driver.virtio;
