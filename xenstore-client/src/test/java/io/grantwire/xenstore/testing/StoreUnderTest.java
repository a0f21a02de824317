package io.grantwire.xenstore.testing;

import java.nio.file.Path;

/** A running store that the contract tests connect to. Used by one thread. */
public interface StoreUnderTest extends AutoCloseable {
    /** Where domain 0 connects. */
    Path socket();

    /**
     * Introduces a domain unless that was done before.
     *
     * @return where the domain's clients connect
     */
    Path introduce(int domid);

    /** Destroys a domain that was introduced. */
    void destroy(int domid);

    /** Stops the store at once; a second call does nothing. */
    @Override
    void close();
}
