/**
 * The switching back end: {@link io.grantwire.vswitch.Switch} serves guests' xenvirt devices and
 * moves frames between them and the uplinks. {@link io.grantwire.vswitch.VhostDevice} is one
 * guest's device as an Ethernet device.
 */
package io.grantwire.vswitch;
