package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.xenstore.server.DomainSkeleton;
import io.grantwire.xenstore.testing.StoreUnderTest;
import io.grantwire.xenstore.testing.Via;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/**
 * What holds for every kind of connection to every kind of store. Subclasses say which; each test
 * has keys of its own and a guest whose keys are fresh.
 */
@Timeout(120)
abstract class XenstoreContractTest
        implements KeysContract, TransactionsContract, WatchesContract, GuestsContract {
    private final List<Xenstore> opened = new ArrayList<>();
    private Xenstore store;
    private String root;

    /** The running store. */
    abstract StoreUnderTest server();

    /** The way to it. */
    abstract Via via();

    /** Opens a connection of the kind under test. */
    Xenstore open(Path socket) {
        return via().open(socket);
    }

    @BeforeEach
    void connect(TestInfo test) {
        via().unavailable()
                .ifPresent(reason -> {
                    System.out.println("skipped: xenstore contract over " + via() + ": " + reason);
                    assumeTrue(false, reason);
                });
        store = another();
        root = "/contract/" + test.getTestMethod().orElseThrow().getName();
        store.mkdir(root);
    }

    @AfterEach
    void disconnect() {
        if (store != null && root != null) {
            Thread.interrupted();
            store.rm(root);
        }
        opened.forEach(Xenstore::close);
    }

    @Override
    public Xenstore store() {
        return store;
    }

    @Override
    public Xenstore another() {
        return keep(open(server().socket()));
    }

    @Override
    public Xenstore guest() {
        Path socket = server().introduce(GUEST);
        DomainSkeleton.create(store, GUEST, "contract");
        return keep(open(socket));
    }

    @Override
    public void destroyGuest() {
        server().destroy(GUEST);
    }

    @Override
    public String key(String name) {
        return root + "/" + name;
    }

    private synchronized Xenstore keep(Xenstore connection) {
        opened.add(connection);
        return connection;
    }
}
