package io.grantwire.xenstore;

import java.util.List;
import java.util.function.Function;

/**
 * A connection to a xenstore: a small tree of keys and values that the domains of a host share.
 *
 * <p>Paths are absolute ({@code /local/domain/1/name}) or relative to the caller's own domain
 * ({@code name}). Values are bytes without a terminating NUL. Path, payload and token are checked
 * before anything is sent ({@link XenstorePath}).
 *
 * <p>Every method may be called from any thread; calls on one connection are serialised. None
 * belongs on the packet path: each is a round trip to the store. Failures are {@link
 * XenstoreException}s that name the operation, the path and the errno.
 *
 * <p>Wire format: {@code xen/include/public/io/xs_wire.h}; semantics: {@code
 * docs/misc/xenstore.txt} of the Xen tree.
 */
public interface Xenstore extends AutoCloseable {

    /**
     * What this connection speaks over, for people: for instance {@code
     * unix:/run/xenstored/socket}.
     */
    String description();

    /**
     * Whether the store is connected now, as far as is known; asks nobody. False after {@link
     * #close}, and after the connection was lost: for ever, or until it is back ({@link
     * Xenstores#reconnecting}).
     */
    boolean connected();

    /**
     * Reads a key's value.
     *
     * @throws XenstoreException ENOENT when there is no such key, EACCES when this domain may not
     *     read it
     */
    byte[] read(String path);

    /**
     * Reads a key's value as text (each byte one ISO-8859-1 character), or null when the key does
     * not exist.
     */
    String readString(String path);

    /** Writes a value, creating the key and its missing parents. */
    void write(String path, byte[] value);

    /** Writes text; characters above U+00FF are refused. */
    void write(String path, String value);

    /** Creates a key with an empty value, and missing parents; an existing key is left as it is. */
    void mkdir(String path);

    /** Removes a key and all below it; removing a missing key whose parent exists succeeds. */
    void rm(String path);

    /** The names (not paths) of the keys directly below {@code path}, in the store's order. */
    List<String> directory(String path);

    /** Whether the key exists and may be read. */
    boolean exists(String path);

    /** The key's permission list; the first entry names the owner. */
    List<XenstorePermission> permissions(String path);

    /** Replaces the key's permission list. */
    void setPermissions(String path, List<XenstorePermission> permissions);

    /** The path of a domain's own directory, {@code /local/domain/<domid>}. */
    String domainPath(int domid);

    /**
     * Runs {@code body} in a transaction and commits it. A commit that meets a conflict (EAGAIN)
     * runs the body again on a fresh view, and so does a connection that was lost meanwhile and
     * comes back; any other exception from the body aborts the transaction and is passed on. The
     * transaction is ended in every case.
     *
     * @param body must have no effect outside the transaction, since it may run several times
     * @return what the body's committed run returned
     * @throws XenstoreException EAGAIN when the conflict persists past the retry limit
     */
    <T> T transaction(Function<XenstoreTransaction, T> body);

    /**
     * Watches a path and everything below it. One event is queued at once, to tell the watcher to
     * look at what is there already. An event is a hint that something changed: read the key again.
     *
     * @param token comes back with every event, so that several watches can be told apart
     * @return the watch, holding its own queue of events; close it to unwatch
     */
    XenstoreWatch watch(String path, String token);

    /**
     * Ends all watches and open transactions and closes the connection; a second call does nothing.
     */
    @Override
    void close();
}
