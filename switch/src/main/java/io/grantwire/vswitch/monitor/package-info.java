/**
 * Finding guests' devices: the keys they write, the pages they grant, and the end of either. One
 * thread, off the packet path.
 */
package io.grantwire.vswitch.monitor;
