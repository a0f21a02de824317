package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries requests out: takes the payload apart, checks who asks, calls the store and replies.
 * Every request gets exactly one reply. Pure apart from what it calls; event loop only.
 *
 * <p>Payloads and their checks: {@code docs/misc/xenstore.txt} of the Xen tree and the behaviour of
 * its xenstored.
 */
final class Dispatcher {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    /** The special domain id that means the caller (DOMID_SELF). */
    private static final int DOMID_SELF = 0x7ff0;

    private static final byte[] DONE = XsWire.join(XsWire.OK);

    private final Store store;
    private final WatchRegistry watches;
    private final DomainTable domains;

    Dispatcher(Store store, WatchRegistry watches, DomainTable domains) {
        this.store = store;
        this.watches = watches;
        this.domains = domains;
    }

    /** One request and what it needs. */
    private record Request(Session session, StoreDomain domain, Transaction tx, XsMessage message) {
        byte[] payload() {
            return message.payload();
        }
    }

    /** Handles one request and replies to it. */
    void handle(Session session, XsMessage message) {
        XsType type = XsType.of(message.type());
        XsType replyType;
        byte[] reply;
        try {
            reply = run(session, type, message);
            if (reply.length > XsWire.PAYLOAD_MAX) {
                throw new StoreError(StoreErrno.E2BIG);
            }
            replyType = type;
        } catch (StoreError e) {
            replyType = XsType.ERROR;
            reply = XsWire.join(e.errno().name());
        } catch (RuntimeException e) {
            // A mistake in here must not take anybody's connection down.
            LOG.error("internal error in the xenstore server at {}", message, e);
            replyType = XsType.ERROR;
            reply = XsWire.join(StoreErrno.EIO.name());
        }
        session.reply(replyType, message.reqId(), message.txId(), reply);
        if (type == XsType.WATCH && replyType == XsType.WATCH) {
            // The first event, which tells the watcher to look, follows the reply.
            List<String> words = Payloads.strings(message.payload());
            session.event(words.get(0), words.get(1));
        }
    }

    private byte[] run(Session session, XsType type, XsMessage message) throws StoreError {
        if (type == null || !supported(type)) {
            throw new StoreError(StoreErrno.ENOSYS);
        }
        StoreDomain domain = session.domain();
        if (privileged(type) && !domain.privileged()) {
            throw new StoreError(StoreErrno.EACCES);
        }
        Transaction tx =
                type == XsType.WATCH || type == XsType.UNWATCH
                        ? null
                        : session.transaction(message.txId());
        boolean writes = writes(type) && tx == null;
        if (!domain.privileged()
                && (writes || type == XsType.TRANSACTION_END)
                && store.othersInTransaction(domain.domid())) {
            domain.credit().spend(System.nanoTime());
        }
        return run(type, new Request(session, domain, tx, message));
    }

    private static boolean supported(XsType type) {
        return switch (type) {
            case WATCH_EVENT, ERROR, GET_FEATURE, SET_FEATURE, GET_QUOTA, SET_QUOTA -> false;
            default -> true;
        };
    }

    private static boolean privileged(XsType type) {
        return switch (type) {
            case CONTROL, INTRODUCE, RELEASE, IS_DOMAIN_INTRODUCED, RESUME, SET_TARGET -> true;
            default -> false;
        };
    }

    private static boolean writes(XsType type) {
        return switch (type) {
            case WRITE, MKDIR, RM, SET_PERMS -> true;
            default -> false;
        };
    }

    private byte[] run(XsType type, Request r) throws StoreError {
        return switch (type) {
            case CONTROL -> ControlCommands.run(Payloads.strings(r.payload()), store, domains);
            case DIRECTORY -> names(view(r).read(key(r, Payloads.one(r.payload()))));
            case DIRECTORY_PART -> directoryPart(r);
            case READ -> view(r).read(key(r, Payloads.one(r.payload()))).value();
            case GET_PERMS -> getPermissions(r);
            case SET_PERMS -> setPermissions(r);
            case WRITE -> write(r);
            case MKDIR -> {
                view(r).mkdir(key(r, Payloads.one(r.payload())));
                yield DONE;
            }
            case RM -> {
                view(r).remove(key(r, Payloads.one(r.payload())));
                yield DONE;
            }
            case WATCH -> watch(r);
            case UNWATCH -> unwatch(r);
            case RESET_WATCHES -> {
                r.session.reset(store, watches);
                yield DONE;
            }
            case TRANSACTION_START -> startTransaction(r);
            case TRANSACTION_END -> endTransaction(r);
            case GET_DOMAIN_PATH ->
                    XsWire.join(XenstorePath.ofDomain(StorePaths.domid(Payloads.one(r.payload()))));
            case IS_DOMAIN_INTRODUCED -> {
                int domid = StorePaths.domid(Payloads.one(r.payload()));
                boolean there = domid == DOMID_SELF || domains.find(domid) != null;
                yield XsWire.join(there ? "T" : "F");
            }
            case INTRODUCE -> introduce(r);
            case RELEASE -> {
                domains.release(StorePaths.domid(Payloads.one(r.payload())));
                yield DONE;
            }
            case RESUME -> {
                int domid = StorePaths.domid(Payloads.one(r.payload()));
                if (domid == 0) {
                    throw new StoreError(StoreErrno.EINVAL);
                }
                domains.require(domid); // a domain here never counts as shut down
                yield DONE;
            }
            case SET_TARGET -> setTarget(r);
            case WATCH_EVENT, ERROR, GET_FEATURE, SET_FEATURE, GET_QUOTA, SET_QUOTA ->
                    throw new StoreError(StoreErrno.ENOSYS);
        };
    }

    private StoreView view(Request r) {
        return new StoreView(store, r.domain, r.tx);
    }

    private String key(Request r, String text) throws StoreError {
        return StorePaths.key(text, r.domain, store.quotas());
    }

    private String keyOrSpecial(Request r, String text) throws StoreError {
        return StorePaths.keyOrSpecial(text, r.domain, store.quotas());
    }

    private static byte[] names(Node node) {
        Children children = node.children();
        byte[] names = new byte[children.bytes()];
        int at = 0;
        for (int i = 0; i < children.size(); i++) {
            byte[] name = children.name(i).getBytes(StandardCharsets.ISO_8859_1);
            System.arraycopy(name, 0, names, at, name.length);
            at += name.length + 1;
        }
        return names;
    }

    /** As many whole names from an offset on as fit; an empty string at the end marks the end. */
    private byte[] directoryPart(Request r) throws StoreError {
        List<String> words = Payloads.strings(r.payload());
        if (words.size() != 2) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        Node node = view(r).read(key(r, words.get(0)));
        int from = Payloads.leadingNumber(words.get(1));
        byte[] head = XsWire.join(Long.toString(node.generation()));
        byte[] all = names(node);
        int to = Math.min(from, all.length);
        int room = XsWire.PAYLOAD_MAX - head.length - 1;
        for (int next = to; next < all.length; ) {
            while (all[next] != 0) {
                next++;
            }
            next++;
            if (next - from > room) {
                break;
            }
            to = next;
        }
        boolean last = to == all.length;
        int count = Math.max(0, to - from);
        byte[] reply = Arrays.copyOf(head, head.length + count + (last ? 1 : 0));
        System.arraycopy(all, to - count, reply, head.length, count);
        return reply;
    }

    private byte[] getPermissions(Request r) throws StoreError {
        String path = keyOrSpecial(r, Payloads.one(r.payload()));
        return XsWire.join(view(r).read(path).permissions().texts());
    }

    private byte[] setPermissions(Request r) throws StoreError {
        List<String> words = Payloads.strings(r.payload());
        if (words.size() < 2) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        List<String> entries = words.subList(1, words.size());
        if (!r.domain.privileged() && entries.size() > store.quotas().permissions()) {
            throw new StoreError(StoreErrno.ENOSPC);
        }
        Permissions permissions = Permissions.parse(entries);
        view(r).setPermissions(keyOrSpecial(r, words.get(0)), permissions);
        return DONE;
    }

    private byte[] write(Request r) throws StoreError {
        byte[] payload = r.payload();
        List<String> words = Payloads.strings(payload);
        if (words.isEmpty()) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        int from = words.getFirst().length() + 1;
        byte[] value = Arrays.copyOfRange(payload, from, payload.length);
        view(r).write(key(r, words.getFirst()), value);
        return DONE;
    }

    private byte[] watch(Request r) throws StoreError {
        List<String> words = two(r);
        watches.add(r.session, keyOrSpecial(r, words.get(0)), words.get(0), words.get(1));
        return DONE;
    }

    private byte[] unwatch(Request r) throws StoreError {
        List<String> words = two(r);
        watches.remove(r.session, keyOrSpecial(r, words.get(0)), words.get(1));
        return DONE;
    }

    private static List<String> two(Request r) throws StoreError {
        List<String> words = Payloads.strings(r.payload());
        if (words.size() != 2) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        return words;
    }

    private byte[] startTransaction(Request r) throws StoreError {
        if (r.tx != null) {
            throw new StoreError(StoreErrno.EBUSY); // they do not nest
        }
        int id = r.session.add(store.begin(r.domain));
        return XsWire.join(Integer.toUnsignedString(id));
    }

    private byte[] endTransaction(Request r) throws StoreError {
        String how = Payloads.one(r.payload());
        if (!how.equals("T") && !how.equals("F")) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        if (r.tx == null) {
            throw new StoreError(StoreErrno.ENOENT);
        }
        r.session.forget(r.message.txId());
        if (how.equals("T")) {
            store.commit(r.tx);
        } else {
            store.abort(r.tx);
        }
        return DONE;
    }

    private byte[] introduce(Request r) throws StoreError {
        List<String> words = Payloads.strings(r.payload());
        if (words.size() < 3) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        int domid = StorePaths.domid(words.get(0));
        if (Payloads.leadingNumber(words.get(2)) <= 0) {
            throw new StoreError(StoreErrno.EINVAL); // an event channel is never 0
        }
        domains.introduceOverWire(domid);
        return DONE;
    }

    private byte[] setTarget(Request r) throws StoreError {
        List<String> words = Payloads.strings(r.payload());
        if (words.size() < 2) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        StoreDomain domain = domains.require(StorePaths.domid(words.get(0)));
        int target = StorePaths.domid(words.get(1));
        domains.require(target);
        if (domain.privileged() || target == 0) {
            // Rights of domain 0 are never lent out.
            throw new StoreError(StoreErrno.EINVAL);
        }
        domain.setTarget(target);
        return DONE;
    }
}
