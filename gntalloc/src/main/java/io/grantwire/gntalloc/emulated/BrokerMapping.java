package io.grantwire.gntalloc.emulated;

/**
 * Grants that a process mapped with one request.
 *
 * @param grants one per page, in the order of the request; the same one may occur more than once
 * @param writable whether they are mapped for writing
 */
record BrokerMapping(BrokerGrant[] grants, boolean writable) {}
