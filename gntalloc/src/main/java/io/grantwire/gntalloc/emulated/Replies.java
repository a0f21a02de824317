package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.gen.libc.LibC;
import java.util.ArrayList;
import java.util.List;

/** The descriptors that go with a reply. Only the hypervisor's thread uses it. */
final class Replies {
    private final List<Fd> attached = new ArrayList<>();
    private final List<Fd> temporary = new ArrayList<>();

    /** Sends a descriptor along; stays owned by the caller. */
    void attach(Fd fd) {
        attached.add(fd);
    }

    /** Sends memory along, opened anew for reading when it is not to be written. */
    void attach(Fd memory, boolean writable) {
        if (writable) {
            attached.add(memory);
            return;
        }
        Fd readOnly = Fd.open("/proc/self/fd/" + memory.value(), LibC.O_RDONLY());
        attachOnce(readOnly);
    }

    /** Sends a descriptor along and closes ours afterwards. */
    void attachOnce(Fd fd) {
        temporary.add(fd);
        attached.add(fd);
    }

    int[] descriptors() {
        return attached.stream().mapToInt(Fd::value).toArray();
    }

    /** Forgets everything, and closes what was opened for this reply only. */
    void clear() {
        attached.clear();
        temporary.forEach(Fd::close);
        temporary.clear();
    }
}
