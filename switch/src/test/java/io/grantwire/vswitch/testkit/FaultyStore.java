package io.grantwire.vswitch.testkit;

import io.grantwire.bindings.Errno;
import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A domain whose store refuses one operation below one path, as a guest might bring about. */
public final class FaultyStore implements Domain {
    /** What the refusals say. */
    public static final String HINT = "refused by the test";

    private final Domain domain;
    private final Xenstore store;

    /** Refuses the method of {@link Xenstore} for paths that begin with {@code prefix}. */
    public FaultyStore(Domain domain, String method, String prefix) {
        this.domain = domain;
        Xenstore real = domain.xenstore();
        this.store =
                (Xenstore)
                        Proxy.newProxyInstance(
                                Xenstore.class.getClassLoader(),
                                new Class<?>[] {Xenstore.class},
                                (proxy, called, args) -> {
                                    if (called.getName().equals(method)
                                            && args[0].toString().startsWith(prefix)) {
                                        throw new XenstoreException(
                                                method,
                                                args[0].toString(),
                                                Errno.numberOf("E2BIG"),
                                                HINT);
                                    }
                                    try {
                                        return called.invoke(real, args);
                                    } catch (InvocationTargetException e) {
                                        throw e.getCause();
                                    }
                                });
    }

    @Override
    public int domid() {
        return domain.domid();
    }

    @Override
    public boolean emulated() {
        return domain.emulated();
    }

    @Override
    public String description() {
        return domain.description();
    }

    @Override
    public Xenstore xenstore() {
        return store;
    }

    @Override
    public GrantSharer sharer() {
        return domain.sharer();
    }

    @Override
    public GrantMapper mapper() {
        return domain.mapper();
    }

    @Override
    public EventChannel events() {
        return domain.events();
    }

    @Override
    public void close() {
        domain.close();
    }
}
