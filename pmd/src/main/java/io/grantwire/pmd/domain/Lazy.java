package io.grantwire.pmd.domain;

import java.util.function.Supplier;

/**
 * Something that is opened when first asked for and closed at most once. Thread-safe; after {@link
 * #close} it refuses to open.
 *
 * @param <T> what it is
 */
final class Lazy<T extends AutoCloseable> {
    private final String what;
    private final Supplier<T> opener;
    private T value;
    private boolean closed;

    Lazy(String what, Supplier<T> opener) {
        this.what = what;
        this.opener = opener;
    }

    synchronized T get() {
        if (closed) {
            throw new DomainException(what + ": the domain was closed before");
        }
        if (value == null) {
            value = opener.get();
        }
        return value;
    }

    /** Closes what was opened; nothing is thrown. */
    synchronized void close() {
        closed = true;
        if (value != null) {
            try {
                value.close();
            } catch (Exception e) {
                // Teardown goes on: the next part has to be closed as well.
                org.slf4j.LoggerFactory.getLogger(Domain.class)
                        .warn("closing {}: {}", what, e.getMessage());
            }
            value = null;
        }
    }
}
