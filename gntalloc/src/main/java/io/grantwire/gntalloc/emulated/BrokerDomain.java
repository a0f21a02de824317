package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.gen.libc.LibC;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the hypervisor knows about a domain: its processes, its ports, and what it uses of its
 * limits. Outlives its processes while a peer has pages of theirs mapped. Only the hypervisor's
 * thread uses it.
 */
final class BrokerDomain {
    private static final int DOM0_DESCRIPTORS = 16;

    private final int domid;
    private final HypervisorOptions options;

    /** By the slot that decides their range of grant references. */
    private final TreeMap<Integer, BrokerProcess> processes = new TreeMap<>();

    private final Map<Integer, BrokerPort> ports = new HashMap<>();
    private final BitSet usedPorts = new BitSet();
    private int pagesShared;
    private int pagesMapped;
    private int descriptors;

    BrokerDomain(int domid, HypervisorOptions options) {
        this.domid = domid;
        this.options = options;
        // Port 0 does not exist: it means "none" everywhere.
        usedPorts.set(0);
    }

    int domid() {
        return domid;
    }

    TreeMap<Integer, BrokerProcess> processes() {
        return processes;
    }

    /** The only process of a guest, or null when it is gone. */
    BrokerProcess holder() {
        return processes.isEmpty() ? null : processes.firstEntry().getValue();
    }

    int freeSlot() {
        int slot = 0;
        while (processes.containsKey(slot)) {
            slot++;
        }
        return slot;
    }

    /** The process that a grant reference belongs to, or null. */
    BrokerProcess processOf(int gref) {
        return gref < 0 ? null : processes.get(gref / HypervisorWire.GREFS_PER_PROCESS);
    }

    /** Whether it can be forgotten. */
    boolean empty() {
        return processes.isEmpty() && pagesShared == 0;
    }

    int pagesShared() {
        return pagesShared;
    }

    int pagesMapped() {
        return pagesMapped;
    }

    void takePages(int pages) throws Refusal {
        int left = options.pagesPerDomain() - pagesShared;
        if (pages > left) {
            throw new Refusal(
                    LibC.ENOSPC(),
                    "domain "
                            + domid
                            + " may share "
                            + options.pagesPerDomain()
                            + " pages and has "
                            + left
                            + " left; close shares it does not need, or start the emulated host"
                            + " with a larger limit");
        }
        pagesShared += pages;
    }

    void releasePages(int pages) {
        pagesShared -= pages;
    }

    /** Whether so many more pages may be mapped. */
    boolean mayMap(int pages) {
        return pages <= options.mappingsPerDomain() - pagesMapped;
    }

    void mapped(int pages) {
        pagesMapped += pages;
    }

    void takeDescriptors(int count) throws Refusal {
        long limit = options.descriptorsPerDomain();
        if (domid == 0) {
            limit *= DOM0_DESCRIPTORS;
        }
        if (descriptors + count > limit) {
            throw new Refusal(
                    LibC.ENOSPC(),
                    "domain "
                            + domid
                            + " has "
                            + descriptors
                            + " of the "
                            + limit
                            + " open files that the emulated host spends on it; share in larger"
                            + " pieces, or raise the host's limit with: ulimit -n");
        }
        descriptors += count;
    }

    void releaseDescriptors(int count) {
        descriptors -= count;
    }

    BrokerPort port(int number) {
        return ports.get(number);
    }

    int ports() {
        return ports.size();
    }

    /** Takes the lowest free port number. */
    int takePort() throws Refusal {
        int number = usedPorts.nextClearBit(1);
        if (number > options.portsPerDomain()) {
            throw new Refusal(
                    LibC.ENOSPC(),
                    "domain " + domid + " has all " + options.portsPerDomain() + " ports in use");
        }
        usedPorts.set(number);
        return number;
    }

    void releasePort(int number) {
        usedPorts.clear(number);
        ports.remove(number);
    }

    void addPort(BrokerPort port) {
        ports.put(port.number(), port);
    }
}
