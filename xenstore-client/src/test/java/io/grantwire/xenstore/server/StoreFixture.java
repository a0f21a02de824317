package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.util.ArrayList;
import java.util.List;

/** The whole store without sockets: sessions hand in messages and record what comes back. */
final class StoreFixture {
    final WatchRegistry watches;
    final Store store;
    final DomainTable domains;
    final Dispatcher dispatcher;
    final List<Client> clients = new ArrayList<>();

    StoreFixture() {
        this(Quotas.DEFAULT);
    }

    StoreFixture(Quotas quotas) {
        watches = new WatchRegistry(quotas);
        store = new Store(quotas, watches);
        domains = new DomainTable(store, watches, new NoEndpoints());
        dispatcher = new Dispatcher(store, watches, domains);
    }

    /** Limits that a test reaches quickly. */
    static Quotas small() {
        return new Quotas(10, 200, 3, 2, 8, 2, 100, 4, 4096, 3, 5);
    }

    /** A new connection of a domain, which is introduced if it was not. */
    Client client(int domid) {
        StoreDomain domain = domains.find(domid);
        if (domain == null) {
            domain = new StoreDomain(domid);
            domains.introduce(domain);
        }
        Client client = new Client(domain);
        clients.add(client);
        return client;
    }

    /** One connection. Replies are text: the payload with a bar for each NUL. */
    final class Client implements Session.Output {
        final Session session;
        final List<String> events = new ArrayList<>();
        private String reply;
        private int replies;

        Client(StoreDomain domain) {
            session = new Session(clients.size(), domain, this);
        }

        @Override
        public void reply(XsType type, int reqId, int txId, byte[] payload) {
            replies++;
            reply = (type == XsType.ERROR ? "!" : "") + XsWire.text(payload).replace('\0', '|');
        }

        @Override
        public void event(String path, String token) {
            events.add(path + " " + token);
        }

        String lastReply() {
            return reply;
        }

        String ask(int tx, XsType type, byte[] payload) {
            return tell(new XsMessage(type.code(), 7, tx, payload));
        }

        /** Hands a message in; there has to be one reply. */
        String tell(XsMessage message) {
            replies = 0;
            dispatcher.handle(session, message);
            if (replies != 1) {
                throw new AssertionError(message + " got " + replies + " replies");
            }
            return reply;
        }

        String ask(XsType type, String... words) {
            return ask(0, type, XsWire.join(words));
        }

        String askIn(int tx, XsType type, String... words) {
            return ask(tx, type, XsWire.join(words));
        }

        String write(String path, String value) {
            return writeIn(0, path, value);
        }

        String writeIn(int tx, String path, String value) {
            return ask(tx, XsType.WRITE, XsWire.joinRaw(path, XsWire.bytes(value)));
        }

        String read(String path) {
            return ask(XsType.READ, path);
        }

        String permit(String path, String... entries) {
            String[] words = new String[entries.length + 1];
            words[0] = path;
            System.arraycopy(entries, 0, words, 1, entries.length);
            return ask(XsType.SET_PERMS, words);
        }

        int begin() {
            return Integer.parseInt(ask(XsType.TRANSACTION_START, "").replace("|", ""));
        }

        String commit(int tx) {
            return askIn(tx, XsType.TRANSACTION_END, "T");
        }

        List<String> takeEvents() {
            List<String> taken = List.copyOf(events);
            events.clear();
            return taken;
        }
    }

    private final class NoEndpoints implements DomainTable.Endpoints {
        @Override
        public void open(StoreDomain domain) {
            // The fixture's domains need none.
        }

        @Override
        public void reset(StoreDomain domain) {
            clients.stream()
                    .filter(c -> c.session.domain() == domain)
                    .forEach(c -> c.session.reset(store, watches));
        }

        @Override
        public void close(StoreDomain domain) {
            reset(domain);
        }
    }
}
