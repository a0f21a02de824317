package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.xenstore.testing.Fixture;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/**
 * The contract on the store of the Xen host that this machine is, in domain 0 or in a guest. Keys
 * are made below {@code /contract} or the guest's own {@code data}. What takes connections of two
 * domains is left out: a guest is another machine here.
 */
@Timeout(120)
abstract class RealStoreContract implements KeysContract, TransactionsContract, WatchesContract {
    private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

    private final List<Xenstore> opened = new ArrayList<>();
    private Xenstore store;
    private boolean guest;
    private String root;

    /** One more connection. */
    abstract Xenstore open();

    /** Why this way to the store is not to be had here; empty if it is. */
    abstract Optional<String> unavailable();

    @BeforeEach
    void connect(TestInfo test) {
        Optional<String> reason = Xenstores.hostUnavailable().or(this::unavailable);
        reason.filter(TOLD::add)
                .ifPresent(why -> System.out.println("skipped on the real store: " + why));
        assumeTrue(reason.isEmpty(), () -> "real store: " + reason.orElseThrow());
        store = another();
        String domid = store.readString("domid");
        guest = !"0".equals(domid);
        String top = guest ? "/local/domain/" + domid + "/data" : "";
        root = top + "/contract/" + test.getTestMethod().orElseThrow().getName();
        store.mkdir(root);
    }

    @AfterEach
    void disconnect() {
        if (root != null) {
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
    public synchronized Xenstore another() {
        Xenstore connection = open();
        opened.add(connection);
        return connection;
    }

    @Override
    public Xenstore guest() {
        throw new IllegalStateException("a guest is another machine");
    }

    @Override
    public void destroyGuest() {
        throw new IllegalStateException("a guest is another machine");
    }

    @Override
    public String key(String name) {
        return root + "/" + name;
    }

    @Test
    @Override
    public final void topDirectoryIsListedToo() {
        if (guest) {
            Fixture.failure("EACCES", KeysContract.super::topDirectoryIsListedToo);
        } else {
            KeysContract.super.topDirectoryIsListedToo();
        }
    }

    /** The names in a guest's directory count as that key's value, of 2048 bytes at most. */
    @Test
    @Override
    public final void directoryLongerThanOneMessageIsReadInParts() {
        if (guest) {
            Fixture.failure(
                    "ENOSPC", KeysContract.super::directoryLongerThanOneMessageIsReadInParts);
        } else {
            KeysContract.super.directoryLongerThanOneMessageIsReadInParts();
        }
    }

    // No tests here, for want of a second domain: JUnit takes the annotation off with the override.

    @Override
    public final void permissionsAreReplacedAsAWhole() {}

    @Override
    public final void childrenInheritPermissions() {}

    @Override
    public final void relativeWatchesHaveRelativeEvents() {}

    @Override
    public final void specialWatchesFireWhenDomainsComeAndGo() {}
}
