package io.grantwire.xenstore.testing;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.opentest4j.TestAbortedException;

/**
 * One xenstored for all the test classes of a run, started when the first one needs it and stopped
 * after the last. Where it cannot be, the classes are skipped, and say why.
 */
public final class XenstoredExtension implements BeforeAllCallback {
    private static volatile Xenstored running;

    /** Kept in the root store, which closes it at the end of the run. */
    private record Shared(Xenstored xenstored) implements AutoCloseable {
        @Override
        public void close() {
            running = null;
            xenstored.close();
        }
    }

    /** The running one. */
    public static Xenstored xenstored() {
        return running;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        String reason = Xenstored.unavailable().orElse(null);
        if (running == null && reason != null) {
            System.out.println("skipped: " + context.getDisplayName() + ": " + reason);
            throw new TestAbortedException(reason);
        }
        context.getRoot()
                .getStore(Namespace.create(XenstoredExtension.class))
                .getOrComputeIfAbsent(
                        "xenstored",
                        _ -> {
                            running = Xenstored.start();
                            return new Shared(running);
                        });
    }
}
