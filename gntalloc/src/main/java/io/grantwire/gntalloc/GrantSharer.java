package io.grantwire.gntalloc;

/**
 * Offers pages of this domain to another one: the granting side, as {@code /dev/xen/gntalloc} does
 * it.
 *
 * <p>Thread-safe. Pages are 4096 bytes whatever the kernel's page size.
 */
public interface GrantSharer extends AutoCloseable {
    /** Bytes in a granted page, always. */
    int PAGE_SIZE = 4096;

    /**
     * Which implementation this is and where, for people: for instance {@code /dev/xen/gntalloc}.
     */
    String description();

    /**
     * Allocates zeroed pages, grants every one to a domain and maps them here, contiguously.
     *
     * @param domid the domain that may map them
     * @param pages how many, at least 1
     * @param writable whether that domain may write them
     * @return the share, owned by the caller
     * @throws io.grantwire.bindings.NativeException ENOSPC when the system's or domain's limit on
     *     grants is reached (the hint names the limit), ENOMEM; nothing stays granted then
     */
    GrantShare share(int domid, int pages, boolean writable);

    /**
     * Pages that may still be shared now, or {@link Integer#MAX_VALUE} when the implementation
     * cannot tell.
     */
    int available();

    /**
     * Closes every share that is still open, newest first, and the device; a second call does
     * nothing.
     */
    @Override
    void close();
}
