package io.grantwire.tools.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a {@link StopRequest}, so that the main thread ends
 * everything in order while the rest of the JVM, logging included, still works; a shutdown hook
 * would run beside the logging system's own and lose the last lines. A second signal ends the
 * program at once.
 *
 * <p>The JDK offers signals only in {@code sun.misc.Signal} of the module {@code jdk.unsupported},
 * which javac refuses to compile against without a warning; hence reflection. A signal that the
 * parent process had ignored (as {@code nohup} does, and the demo for its children) stays ignored:
 * HotSpot checks that.
 */
public final class Signals {
    private Signals() {}

    /** Sends the signals to {@code stop} from now on. */
    public static void bind(StopRequest stop) {
        for (String name : List.of("INT", "TERM", "HUP")) {
            try {
                bind(name, stop);
            } catch (ReflectiveOperationException | IllegalArgumentException e) {
                // Without a handler the JVM's own reaction stays: it ends, with shutdown hooks.
                continue;
            }
        }
    }

    private static void bind(String name, StopRequest stop) throws ReflectiveOperationException {
        Class<?> signalClass = Class.forName("sun.misc.Signal");
        Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
        Object signal = signalClass.getConstructor(String.class).newInstance(name);
        int number = (int) signalClass.getMethod("getNumber").invoke(signal);
        Object handler =
                Proxy.newProxyInstance(
                        handlerClass.getClassLoader(),
                        new Class<?>[] {handlerClass},
                        (proxy, method, args) ->
                                switch (method.getName()) {
                                    case "handle" -> {
                                        if (stop.requested()) {
                                            Runtime.getRuntime().halt(128 + number);
                                        }
                                        stop.request("SIG" + name, true);
                                        yield null;
                                    }
                                    case "hashCode" -> System.identityHashCode(proxy);
                                    case "equals" -> proxy == args[0];
                                    default -> "stop on SIG" + name;
                                });
        try {
            signalClass
                    .getMethod("handle", signalClass, handlerClass)
                    .invoke(null, signal, handler);
        } catch (InvocationTargetException e) {
            // The JVM runs with -Xrs, or uses the signal itself.
            throw new IllegalArgumentException(e.getCause());
        }
    }
}
