package io.grantwire.xenstore;

import io.grantwire.bindings.gen.libc.LibC;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A connection that speaks the wire protocol itself: each operation is a request or a few. */
final class WireConnection implements XsConnection {
    /** Longest complete list of children that is put together from parts. */
    private static final int DIRECTORY_MAX = 2 << 20;

    /** How often a list is begun again because it changed between two parts. */
    private static final int DIRECTORY_ATTEMPTS = 50;

    private final XsStream stream;
    private final Duration timeout;
    private WireRequests requests;

    /**
     * @param stream owned by the connection from now on
     * @param timeout how long a reply may take before the connection is given up
     */
    WireConnection(XsStream stream, Duration timeout) {
        this.stream = stream;
        this.timeout = timeout;
    }

    @Override
    public void start(Listener eventListener) {
        requests = new WireRequests(stream, timeout, eventListener);
    }

    @Override
    public String description() {
        return stream.description();
    }

    @Override
    public int payloadMax() {
        return stream.payloadMax();
    }

    // Operations

    @Override
    public byte[] read(int tx, String path) {
        return request(XsType.READ, tx, XsWire.join(path));
    }

    @Override
    public void write(int tx, String path, byte[] value) {
        request(XsType.WRITE, tx, XsWire.joinRaw(path, value));
    }

    @Override
    public void mkdir(int tx, String path) {
        request(XsType.MKDIR, tx, XsWire.join(path));
    }

    @Override
    public void rm(int tx, String path) {
        request(XsType.RM, tx, XsWire.join(path));
    }

    @Override
    public List<String> directory(int tx, String path) {
        byte[] names;
        try {
            names = request(XsType.DIRECTORY, tx, XsWire.join(path));
        } catch (XsFailure e) {
            if (e.errno() != LibC.E2BIG()) {
                throw e;
            }
            names = directoryInParts(tx, path);
        }
        byte[] all = names;
        return parse(() -> XsWire.split(all));
    }

    /**
     * A list longer than one message: parts from growing offsets, each with the directory's
     * generation in front; another generation means that the list has changed and is begun again.
     * An empty name ends it.
     */
    private byte[] directoryInParts(int tx, String path) {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        String generation = null;
        int attempts = 0;
        while (true) {
            byte[] part;
            try {
                part =
                        request(
                                XsType.DIRECTORY_PART,
                                tx,
                                XsWire.join(path, Integer.toString(names.size())));
            } catch (XsFailure e) {
                // A store that does not know the request: what it said at first holds.
                throw e.errno() == LibC.ENOSYS() ? XsFailure.refused(LibC.E2BIG(), null) : e;
            }
            String partGeneration = parse(() -> XsWire.first(part));
            if (generation != null && !generation.equals(partGeneration)) {
                if (++attempts >= DIRECTORY_ATTEMPTS) {
                    throw XsFailure.refused(
                            LibC.EAGAIN(), "the list kept changing while it was being read");
                }
                names.reset();
                generation = null;
                continue;
            }
            generation = partGeneration;
            byte[] chunk = XsWire.afterFirst(part);
            if (chunk.length == 0 || names.size() + chunk.length > DIRECTORY_MAX) {
                throw WireRequests.malformed(
                        chunk.length == 0
                                ? "a part of a directory is empty"
                                : "a directory is over " + DIRECTORY_MAX + " bytes");
            }
            // Every name has its NUL, so an empty name at the end is a chunk of one NUL or ends in
            // two.
            boolean last =
                    chunk[chunk.length - 1] == 0
                            && (chunk.length == 1 || chunk[chunk.length - 2] == 0);
            names.write(chunk, 0, last ? chunk.length - 1 : chunk.length);
            if (last) {
                return names.toByteArray();
            }
        }
    }

    @Override
    public List<XenstorePermission> permissions(int tx, String path) {
        byte[] payload = request(XsType.GET_PERMS, tx, XsWire.join(path));
        List<XenstorePermission> permissions = new ArrayList<>();
        for (String entry : parse(() -> XsWire.split(payload))) {
            try {
                permissions.add(XenstorePermission.parse(entry));
            } catch (IllegalArgumentException e) {
                throw WireRequests.malformed("an entry of a permission list is not understood");
            }
        }
        return List.copyOf(permissions);
    }

    @Override
    public void setPermissions(int tx, String path, List<XenstorePermission> permissions) {
        List<String> strings = new ArrayList<>();
        strings.add(path);
        permissions.forEach(p -> strings.add(p.toString()));
        request(XsType.SET_PERMS, tx, XsWire.join(strings));
    }

    @Override
    public String domainPath(int domid) {
        byte[] payload = request(XsType.GET_DOMAIN_PATH, 0, XsWire.join(Integer.toString(domid)));
        return parse(() -> XsWire.first(payload));
    }

    @Override
    public int startTransaction() {
        byte[] payload = request(XsType.TRANSACTION_START, 0, XsWire.join(""));
        int tx = parse(() -> XsWire.number(XsWire.first(payload)));
        if (tx == 0) {
            throw WireRequests.malformed("a transaction has the id 0");
        }
        return tx;
    }

    @Override
    public void endTransaction(int tx, boolean commit) {
        request(XsType.TRANSACTION_END, tx, XsWire.join(commit ? "T" : "F"));
    }

    @Override
    public void watch(String path, String token) {
        request(XsType.WATCH, 0, XsWire.join(path, token));
    }

    @Override
    public void unwatch(String path, String token) {
        request(XsType.UNWATCH, 0, XsWire.join(path, token));
    }

    /** One reply's content, or a failure that concerns only this request. */
    private static <T> T parse(Supplier<T> parser) {
        try {
            return parser.get();
        } catch (XsProtocolException e) {
            throw WireRequests.malformed(e.getMessage());
        }
    }

    private byte[] request(XsType type, int tx, byte[] payload) {
        return requests.request(type, tx, payload);
    }

    @Override
    public void close() {
        requests.close();
    }
}
