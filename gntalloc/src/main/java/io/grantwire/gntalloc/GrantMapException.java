package io.grantwire.gntalloc;

/** A grant that could not be mapped: the peer's list is wrong, revoked, or not meant for us. */
public final class GrantMapException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int domid;
    private final int gref;

    /**
     * @param domid the domain that was said to have granted the page
     * @param gref the first grant reference that was refused, or -1 when the device does not say
     *     which
     * @param reason the status in Xen's words, for instance {@code GNTST_bad_gntref}
     */
    public GrantMapException(int domid, int gref, String reason) {
        super(
                "mapping gref "
                        + (gref < 0 ? "(unknown)" : Integer.toUnsignedString(gref))
                        + " of domain "
                        + domid
                        + ": "
                        + reason);
        this.domid = domid;
        this.gref = gref;
    }

    /** The domain that was said to have granted the page. */
    public int domid() {
        return domid;
    }

    /** The first grant reference that was refused, or -1 when it is not known. */
    public int gref() {
        return gref;
    }
}
