package io.grantwire.xenstore.testing;

import java.io.IOException;
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
    private static String unavailable;

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
    public void beforeAll(ExtensionContext context) throws Exception {
        if (running == null) {
            if (unavailable == null) {
                unavailable = Xenstored.unavailable().orElse(null);
            }
            if (unavailable == null) {
                start(context);
            }
            if (unavailable != null) {
                System.out.println("skipped: " + context.getDisplayName() + ": " + unavailable);
                throw new TestAbortedException(unavailable);
            }
        }
    }

    private static void start(ExtensionContext context) throws InterruptedException {
        try {
            running = Xenstored.start();
        } catch (IOException e) {
            // Not tried again for the next class: it may have taken minutes to fail.
            unavailable = e.getMessage();
            return;
        }
        context.getRoot()
                .getStore(Namespace.create(XenstoredExtension.class))
                .put("xenstored", new Shared(running));
    }
}
