/**
 * The driver for Intel's 82574 ("e1000e"), a gigabit card with two queues each way, and what QEMU's
 * e1000e is a model of.
 *
 * <p>Where to begin: {@link io.grantwire.pmd.driver.e1000e.E1000eDevice}, then the two queues.
 * Sections cited are those of the <em>Intel 82574 GbE Controller Family Datasheet</em>, and
 * register names are its.
 */
package io.grantwire.pmd.driver.e1000e;
