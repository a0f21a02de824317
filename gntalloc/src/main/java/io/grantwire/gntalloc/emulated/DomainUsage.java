package io.grantwire.gntalloc.emulated;

/**
 * What a domain of the emulated host uses, over all its processes.
 *
 * @param pagesShared pages shared, also those whose share ended while a peer has them mapped
 * @param pageLimit how many may be
 * @param pagesMapped pages of other domains mapped
 * @param mappingLimit how many may be
 * @param ports event channel ports bound
 * @param portLimit how many may be
 */
public record DomainUsage(
        int pagesShared,
        int pageLimit,
        int pagesMapped,
        int mappingLimit,
        int ports,
        int portLimit) {}
