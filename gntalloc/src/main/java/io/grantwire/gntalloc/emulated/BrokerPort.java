package io.grantwire.gntalloc.emulated;

/**
 * One bound end of an event channel.
 *
 * @param process whose port it is
 * @param number the port, in its domain
 * @param channel what it is an end of
 * @param side which end: 0 was allocated first, 1 bound to it
 */
record BrokerPort(BrokerProcess process, int number, BrokerChannel channel, int side) {}
