package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;

/** Facts about this process. */
public final class Process {
    private Process() {}

    /** Its number. */
    public static int pid() {
        return LibC.getpid();
    }

    /** The user it acts as; 0 is root. */
    public static int euid() {
        return LibC.geteuid();
    }

    /** The user who started it. */
    public static int uid() {
        return LibC.getuid();
    }
}
