package io.grantwire.pmd.ethdev;

/**
 * The state of a link.
 *
 * @param up whether frames can flow
 * @param speedMbps speed in Mbit/s, 0 when unknown
 * @param fullDuplex whether both directions run at once
 */
public record EthLink(boolean up, int speedMbps, boolean fullDuplex) {}
