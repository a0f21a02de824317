package io.grantwire.pmd.ethdev;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * How receive-side scaling spreads frames over the queues: by a Toeplitz hash, whose low bits pick
 * an entry of the redirection table.
 *
 * @param types what is hashed; empty turns it off
 * @param key the secret, as long as {@link EthCapabilities#rssKeySize}; empty for the usual one,
 *     that of Microsoft's specification, which datasheets give results for
 */
public record RssConfig(Set<RssType> types, byte[] key) {
    /** No scaling: everything to queue 0. */
    public static final RssConfig OFF = new RssConfig(Set.of(), new byte[0]);

    /** Copies both. */
    public RssConfig {
        types = types.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(types));
        key = key.clone();
    }

    /** Everything there is a hash for, with the usual key. */
    public static RssConfig all() {
        return new RssConfig(EnumSet.allOf(RssType.class), new byte[0]);
    }

    /** Whether frames are spread at all. */
    public boolean on() {
        return !types.isEmpty();
    }

    /** The secret; a copy. */
    @Override
    public byte[] key() {
        return key.clone();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof RssConfig other
                && types.equals(other.types)
                && Arrays.equals(key, other.key);
    }

    @Override
    public int hashCode() {
        return 31 * types.hashCode() + Arrays.hashCode(key);
    }

    @Override
    public String toString() {
        return on() ? "RSS over " + types : "no RSS";
    }
}
