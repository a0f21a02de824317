package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XsType;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The protocol's state of one connection: its domain, its open transactions and, through the
 * registry, its watches. It does no I/O: what is to be sent goes to an {@link Output}.
 */
final class Session implements WatchRegistry.Watcher {
    /** Where replies and events go. */
    interface Output {
        void reply(XsType type, int reqId, int txId, byte[] payload);

        void event(String path, String token);
    }

    private final long number;
    private final StoreDomain domain;
    private final Output output;
    private final Map<Integer, Transaction> transactions = new LinkedHashMap<>();
    private int nextTransaction = 1;

    /**
     * @param number grows from one connection to the next
     */
    Session(long number, StoreDomain domain, Output output) {
        this.number = number;
        this.domain = domain;
        this.output = output;
    }

    @Override
    public long number() {
        return number;
    }

    @Override
    public StoreDomain domain() {
        return domain;
    }

    @Override
    public void event(String path, String token) {
        output.event(path, token);
    }

    void reply(XsType type, int reqId, int txId, byte[] payload) {
        output.reply(type, reqId, txId, payload);
    }

    /** The transaction of this id, or null for id 0. */
    Transaction transaction(int id) throws StoreError {
        if (id == 0) {
            return null;
        }
        Transaction tx = transactions.get(id);
        if (tx == null) {
            throw new StoreError(StoreErrno.ENOENT);
        }
        return tx;
    }

    /** Keeps a new transaction under an id that is free. */
    int add(Transaction tx) {
        while (nextTransaction == 0 || transactions.containsKey(nextTransaction)) {
            nextTransaction++;
        }
        transactions.put(nextTransaction, tx);
        return nextTransaction++;
    }

    void forget(int transactionId) {
        transactions.remove(transactionId);
    }

    /** Ends all transactions and watches. */
    void reset(Store store, WatchRegistry watches) {
        watches.removeAll(this);
        transactions.values().forEach(store::abort);
        transactions.clear();
    }
}
