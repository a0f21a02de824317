package io.grantwire.gntalloc;

/**
 * Maps pages that other domains granted to this one, as {@code /dev/xen/gntdev} does it.
 *
 * <p>Thread-safe.
 */
public interface GrantMapper extends AutoCloseable {
    /** Which implementation this is and where, for people: for instance {@code /dev/xen/gntdev}. */
    String description();

    /**
     * Maps granted pages into one contiguous range, in the order of the list. All or nothing: when
     * one grant cannot be mapped, none stays mapped.
     *
     * @param domid the domain that granted the pages
     * @param grefs the grant references, at least 1; the same one may occur more than once
     * @param writable whether to map for writing, which needs grants made writable
     * @return the mapping, owned by the caller
     * @throws GrantMapException when a grant is refused; it names the first bad grant reference
     * @throws io.grantwire.bindings.NativeException when the device refuses the request as a whole
     */
    GrantMapping map(int domid, int[] grefs, boolean writable);

    /** Pages mapped through this mapper now; zero when nothing leaked. */
    int mappedPages();

    /**
     * Closes every mapping that is still open, newest first, and the device; a second call does
     * nothing.
     */
    @Override
    void close();
}
