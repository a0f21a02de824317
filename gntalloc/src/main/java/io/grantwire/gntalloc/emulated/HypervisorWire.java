package io.grantwire.gntalloc.emulated;

/**
 * The messages between a domain's process and the emulated hypervisor. Layout only.
 *
 * <p>One request, one reply, each one packet on a SEQPACKET socket, all numbers 32 bits in host
 * order (both ends run on one machine). A process has at most one request on its way.
 *
 * <pre>
 * request  { op, seq, arguments... }
 * reply    { op, seq, status, detail, results... }  or, when status is not 0, { ..., length, text }
 * </pre>
 *
 * Status 0 is success, a positive one an errno, a negative one a grant status (GNTST_*).
 * Descriptors ride along as SCM_RIGHTS, in replies only.
 */
final class HypervisorWire {
    /** Version of everything here; both ends must have the same. */
    static final int VERSION = 1;

    /** Neither end sends more in one packet. */
    static final int MAX_MESSAGE = 65536;

    /** Bytes of a domain's name. */
    static final int MAX_NAME = 64;

    /** Bytes of the explanation in a refusal. */
    static final int MAX_TEXT = 512;

    /** Grant references in one {@link #MAP}; a longer list is sent in pieces. */
    static final int MAX_GREFS = 4096;

    /**
     * Pages in one extent: what the hypervisor allocates between two looks at its other clients.
     */
    static final int MAX_EXTENT_PAGES = 4096;

    /** Descriptors in one reply, well below the kernel's 253. */
    static final int MAX_DESCRIPTORS = 64;

    /**
     * Grant references of one process lie in a range of this many, so that the several processes of
     * domain 0 can grant at once. A guest has one process, and its references start at 0.
     */
    static final int GREFS_PER_PROCESS = 1 << 20;

    /** Ask {@link #HELLO} for the lowest domain id that no process holds. */
    static final int ANY_DOMID = -1;

    /** {@link #NOTIFY_ON_END} with this offset cancels. */
    static final int NO_OFFSET = -1;

    /** {@link #MAP} flag: map for writing. */
    static final int MAP_WRITABLE = 1;

    /**
     * version, domid or {@link #ANY_DOMID}, name → domid, first gref, table entries; + the table.
     */
    static final int HELLO = 1;

    /** pages → extent id, first frame number; + the extent's memory. */
    static final int EXTENT_CREATE = 2;

    /** extent id. */
    static final int EXTENT_END = 3;

    /** extent id, byte offset: this byte becomes zero when the extent ends. */
    static final int NOTIFY_ON_END = 4;

    /**
     * domid, flags, count, grefs → handle, how many of the list were mapped (at least 1), number of
     * runs, then per run: index of the descriptor, first page in it, pages; + the descriptors. A
     * refusal's detail is the position of the bad one.
     */
    static final int MAP = 5;

    /** handle. */
    static final int UNMAP = 6;

    /** domid of the remote → port; + the eventfd of our end, the eventfd of theirs. */
    static final int EVTCHN_ALLOC = 7;

    /** domid and port of the remote → port; + the eventfd of our end, the eventfd of theirs. */
    static final int EVTCHN_BIND = 8;

    /** port. */
    static final int EVTCHN_CLOSE = 9;

    /** nothing → pages shared, limit, pages mapped, limit, ports, limit: of the whole domain. */
    static final int USAGE = 10;

    private HypervisorWire() {}

    /** The request's name, for messages. */
    static String nameOf(int op) {
        return switch (op) {
            case HELLO -> "claim a domain";
            case EXTENT_CREATE -> "share pages";
            case EXTENT_END -> "end a share";
            case NOTIFY_ON_END -> "set unmap notification";
            case MAP -> "map grants";
            case UNMAP -> "unmap grants";
            case EVTCHN_ALLOC -> "allocate an event channel";
            case EVTCHN_BIND -> "bind an event channel";
            case EVTCHN_CLOSE -> "close an event channel";
            case USAGE -> "ask for usage";
            default -> "request " + op;
        };
    }
}
