package io.grantwire.pmd.mbuf;

/**
 * What a {@link Mempool} is made of.
 *
 * @param name for people and messages
 * @param count how many mbufs, 1 to {@link Mempool#MAX_COUNT}; should be at least the number in use
 *     at once plus lcores × {@code cacheSize}, since mbufs in one lcore's cache are invisible to
 *     the others
 * @param dataRoom bytes of an mbuf after the headroom
 * @param cacheSize mbufs kept per lcore, 0 for no caches, at most {@link Mempool#MAX_CACHE} and
 *     {@code count}
 * @param source where the packet memory comes from
 */
public record MempoolConfig(
        String name, int count, int dataRoom, int cacheSize, MemorySource source) {
    /**
     * @throws IllegalArgumentException when a number is out of its range
     */
    public MempoolConfig {
        if (name == null || name.isEmpty()) {
            throw new IllegalArgumentException("a mempool needs a name");
        }
        if (count < 1 || count > Mempool.MAX_COUNT) {
            throw bad(name, "count", count, 1, Mempool.MAX_COUNT);
        }
        if (dataRoom < 1 || dataRoom > Mempool.MAX_DATA_ROOM) {
            throw bad(name, "data room", dataRoom, 1, Mempool.MAX_DATA_ROOM);
        }
        int maxCache = Math.min(Mempool.MAX_CACHE, count);
        if (cacheSize < 0 || cacheSize > maxCache) {
            throw bad(name, "cache size", cacheSize, 0, maxCache);
        }
        if (source == null) {
            throw new IllegalArgumentException("mempool " + name + ": no memory source");
        }
    }

    /**
     * A pool with the usual data room ({@value Mempool#DEFAULT_DATA_ROOM}) and caches ({@value
     * Mempool#DEFAULT_CACHE}, or none in a tiny pool) in ordinary memory.
     */
    public static MempoolConfig of(String name, int count) {
        return new MempoolConfig(
                name,
                count,
                Mempool.DEFAULT_DATA_ROOM,
                count >= 4 * Mempool.DEFAULT_CACHE ? Mempool.DEFAULT_CACHE : 0,
                MemorySource.plain());
    }

    /** The same with other memory. */
    public MempoolConfig withSource(MemorySource other) {
        return new MempoolConfig(name, count, dataRoom, cacheSize, other);
    }

    /** The same with another data room. */
    public MempoolConfig withDataRoom(int bytes) {
        return new MempoolConfig(name, count, bytes, cacheSize, source);
    }

    /** The same with caches of another size. */
    public MempoolConfig withCacheSize(int mbufs) {
        return new MempoolConfig(name, count, dataRoom, mbufs, source);
    }

    private static IllegalArgumentException bad(
            String name, String what, int value, int min, int max) {
        return new IllegalArgumentException(
                "mempool " + name + ": " + what + " " + value + " is not in " + min + " to " + max);
    }
}
