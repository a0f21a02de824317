/**
 * Moving frames: workers that poll guests' rings and uplinks, and the immutable topology that tells
 * them who is where.
 */
package io.grantwire.vswitch.forward;
