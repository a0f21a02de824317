package io.grantwire.vfio.bind;

import io.grantwire.vfio.PciFunction;
import java.util.ArrayList;
import java.util.List;

/** Finds the devices that a person means: by address, by shell pattern, by interface. */
public final class PciSelector {
    private final List<PciFunction> functions;

    /**
     * @param functions the devices there are, in order
     */
    public PciSelector(List<PciFunction> functions) {
        this.functions = List.copyOf(functions);
    }

    /**
     * The devices that a word names: an address with or without its domain, a pattern of addresses,
     * or the name of an interface.
     *
     * @return in order of address; empty when there is none
     */
    public List<PciFunction> find(String word) {
        List<PciFunction> found = new ArrayList<>();
        String lower = word.toLowerCase(java.util.Locale.ROOT);
        ShellPattern given = new ShellPattern(lower);
        ShellPattern inDomain0 = new ShellPattern("0000:" + lower);
        for (PciFunction f : functions) {
            if (given.matches(f.address().toString())) {
                found.add(f);
            }
        }
        if (found.isEmpty()) {
            functions.stream()
                    .filter(f -> inDomain0.matches(f.address().toString()))
                    .forEach(found::add);
        }
        if (found.isEmpty()) {
            functions.stream().filter(f -> f.interfaces().contains(word)).forEach(found::add);
        }
        return found;
    }
}
