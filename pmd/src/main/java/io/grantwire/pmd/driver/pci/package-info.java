/**
 * Network cards on the PCI bus: one driver takes {@code pci:BDF}, and picks the model's own, each
 * in a package of its own below this one.
 */
package io.grantwire.pmd.driver.pci;
