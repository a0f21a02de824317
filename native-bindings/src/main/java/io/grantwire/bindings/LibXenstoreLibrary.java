package io.grantwire.bindings;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;

/** Whether the Xen tools' libxenstore can be loaded here. */
public final class LibXenstoreLibrary {
    /** The library's file name, with the ABI version that the bindings were made for. */
    public static final String SONAME = "libxenstore.so.4";

    private LibXenstoreLibrary() {}

    /** Why libxenstore cannot be used and what mends it; empty when it can. */
    public static Optional<String> unavailable() {
        return Probe.REASON;
    }

    private static Optional<String> probe(String soname) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup library = SymbolLookup.libraryLookup(soname, arena);
            return library.find("xs_open").isPresent()
                    ? Optional.empty()
                    : Optional.of(soname + " does not offer xs_open");
        } catch (IllegalArgumentException absent) {
            return Optional.of(
                    soname + " is not installed; get it with: apt-get install libxenstore4");
        }
    }

    /** Asked once: a library that is installed later is seen by the next process. */
    private static final class Probe {
        static final Optional<String> REASON = probe(SONAME);
    }

    /** The probe for any library name, for tests. */
    static Optional<String> unavailable(String soname) {
        return probe(soname);
    }
}
