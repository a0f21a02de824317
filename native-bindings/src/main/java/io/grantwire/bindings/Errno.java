package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;

/**
 * Error numbers of this platform: names as in {@code errno.h}, messages as {@code strerror} gives
 * them.
 */
public final class Errno {
    private static final Map<Integer, String> NAMES = new HashMap<>();
    private static final Map<String, Integer> NUMBERS = new HashMap<>();

    static {
        for (Method m : LibC.class.getMethods()) {
            // EPOLL* are event bits.
            if (m.getName().matches("E(?!POLL)[A-Z0-9]+")
                    && m.getParameterCount() == 0
                    && m.getReturnType() == int.class) {
                put(m);
            }
        }
        // Two names of one number: keep the one that POSIX prefers.
        NAMES.put(LibC.EAGAIN(), "EAGAIN");
        NAMES.put(LibC.EDEADLK(), "EDEADLK");
        NAMES.put(LibC.ENOTSUP(), "ENOTSUP");
    }

    private Errno() {}

    private static void put(Method constant) {
        try {
            int number = (int) constant.invoke(null);
            NAMES.put(number, constant.getName());
            NUMBERS.put(constant.getName(), number);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The symbolic name, for instance {@code ENOENT}; {@code errno 4711} when it has none. */
    public static String nameOf(int errno) {
        return NAMES.getOrDefault(errno, "errno " + errno);
    }

    /** What {@code strerror} says about it. */
    public static String messageOf(int errno) {
        return LibC.strerror(errno).getString(0);
    }

    /** The number of a symbolic name, or -1 when this platform does not know it. */
    public static int numberOf(String name) {
        return NUMBERS.getOrDefault(name, -1);
    }
}
