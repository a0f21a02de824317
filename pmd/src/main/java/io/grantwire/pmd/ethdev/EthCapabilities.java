package io.grantwire.pmd.ethdev;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a network card has beyond {@link EthDeviceInfo}; constant from probe to close.
 *
 * @param offloads the offloads that may be asked for
 * @param rssTypes what receive-side scaling can hash
 * @param rssTableSize entries of the redirection table, 0 without scaling
 * @param rssKeySize bytes of its key
 * @param vmdqPools most VMDq pools, the default one included; 0 without VMDq
 * @param maxVlanFilters VLANs it can filter on
 */
public record EthCapabilities(
        Set<EthOffload> offloads,
        Set<RssType> rssTypes,
        int rssTableSize,
        int rssKeySize,
        int vmdqPools,
        int maxVlanFilters) {
    /** A device that is no network card. */
    public static final EthCapabilities NONE = new EthCapabilities(Set.of(), Set.of(), 0, 0, 0, 0);

    /** Copies the sets. */
    public EthCapabilities {
        offloads = offloads.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(offloads));
        rssTypes = rssTypes.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(rssTypes));
    }
}
