package io.grantwire.vswitch.testkit;

import io.grantwire.bindings.Errno;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A domain whose store refuses one operation below one path, as a guest might bring about. */
public final class FaultyStore extends OtherStore {
    /** What the refusals say. */
    public static final String HINT = "refused by the test";

    /** Refuses the method of {@link Xenstore} for paths that begin with {@code prefix}. */
    public FaultyStore(Domain domain, String method, String prefix) {
        super(domain, faulty(domain.xenstore(), method, prefix));
    }

    private static Xenstore faulty(Xenstore real, String method, String prefix) {
        return (Xenstore)
                Proxy.newProxyInstance(
                        Xenstore.class.getClassLoader(),
                        new Class<?>[] {Xenstore.class},
                        (proxy, called, args) -> {
                            if (called.getName().equals(method)
                                    && args[0].toString().startsWith(prefix)) {
                                throw new XenstoreException(
                                        method, args[0].toString(), Errno.numberOf("E2BIG"), HINT);
                            }
                            try {
                                return called.invoke(real, args);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
