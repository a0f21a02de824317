package io.grantwire.bindings;

import java.lang.invoke.MethodHandles;
import java.util.List;

/**
 * Links the system calls that every switch and guest makes while its program still reads its
 * command line. The JVM makes code for each kind of native call when it is linked, some hundreds of
 * milliseconds in all, and keeps none of it from one run to the next.
 */
public final class LinkAhead {
    /** In the order in which a start needs them, so that it waits for as few as can be. */
    private static final List<Class<?>> FACES =
            List.of(
                    Process.class,
                    Fd.class,
                    UnixSocket.class,
                    Sockets.class,
                    Memfd.class,
                    Mapping.class,
                    Epoll.class,
                    EventFd.class,
                    CpuAffinity.class);

    private LinkAhead() {}

    /**
     * Begins, on a daemon thread of its own. Whoever needs a call sooner waits for that one class.
     *
     * @return the thread, which ends by itself
     */
    public static Thread start() {
        Thread thread = new Thread(LinkAhead::linkQuietly, "link-ahead");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void linkQuietly() {
        try {
            link();
        } catch (LinkageError e) {
            // Whoever makes the call is told.
        }
    }

    /**
     * Links them now.
     *
     * @throws LinkageError when the C library lacks one
     */
    static void link() {
        for (Class<?> face : FACES) {
            try {
                MethodHandles.lookup().ensureInitialized(face);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
