package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.gntalloc.GrantMapException;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantSharer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Maps what the emulated hypervisor lets it map. */
final class EmulatedMapper implements GrantMapper {
    private static final Logger LOG = LoggerFactory.getLogger(EmulatedMapper.class);
    private static final long PAGE = GrantSharer.PAGE_SIZE;

    /**
     * Most pieces of memory that one domain's mappings consist of, and all domains' together. Each
     * piece is a mapping of the kernel's, which gives a process 65 530 (vm.max_map_count) and the
     * JVM dies without. A hostile domain can make every page a piece, by granting pages in any
     * order or one page many times; real Xen maps a whole list as one.
     */
    static final int MAX_PIECES_OF_DOMAIN = 4096;

    private static final int MAX_PIECES = 32_768;

    private final BrokerLink link;
    private final String description;
    private final Deque<EmulatedMapping> open = new ArrayDeque<>();
    private final Map<Integer, Integer> piecesOf = new HashMap<>();
    private int pieces;
    private int mappedPages;
    private boolean closed;

    EmulatedMapper(BrokerLink link, String description) {
        this.link = link;
        this.description = description;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public GrantMapping map(int domid, int[] grefs, boolean writable) {
        if (domid < 0 || domid >= Broker.FIRST_RESERVED_DOMID) {
            throw new IllegalArgumentException("no domain has the id " + domid);
        }
        if (grefs.length == 0) {
            throw new IllegalArgumentException("no grants to map");
        }
        int[] list = grefs.clone();
        Mapping range = Mapping.reserve(list.length * PAGE);
        List<Integer> handles = new ArrayList<>();
        int pieces = 0;
        try {
            int done = 0;
            while (done < list.length) {
                Granted granted = ask(domid, list, done, writable, handles);
                try {
                    int more = granted.runs().length / 3;
                    takePieces(domid, list[done], more);
                    pieces += more;
                    mapSome(granted, done * PAGE, writable, range);
                } finally {
                    granted.memory().forEach(Fd::close);
                }
                done += granted.mapped();
            }
            if (writable) {
                range.populate();
            }
            EmulatedMapping mapping =
                    new EmulatedMapping(this, domid, list.length, range, writable, handles, pieces);
            register(mapping);
            return mapping;
        } catch (RuntimeException e) {
            release(range, handles);
            givePieces(domid, pieces);
            throw e;
        }
    }

    private synchronized void takePieces(int domid, int gref, int n) {
        int had = piecesOf.getOrDefault(domid, 0);
        if (had + n > MAX_PIECES_OF_DOMAIN || pieces + n > MAX_PIECES) {
            throw new GrantMapException(
                    domid,
                    gref,
                    "the pages lie in too many pieces; the emulated host maps "
                            + MAX_PIECES_OF_DOMAIN
                            + " of one domain and "
                            + MAX_PIECES
                            + " of all, grant neighbouring pages in order");
        }
        piecesOf.put(domid, had + n);
        pieces += n;
    }

    private synchronized void givePieces(int domid, int n) {
        piecesOf.computeIfPresent(domid, (d, had) -> had > n ? had - n : null);
        pieces -= n;
    }

    /** What the hypervisor let us map: which pages of which memory, in order. */
    private record Granted(int handle, int mapped, int[] runs, List<Fd> memory) {}

    /** Asks for as many as fit one request, from a place in the list on. */
    private Granted ask(int domid, int[] list, int from, boolean writable, List<Integer> handles) {
        int count = Math.min(list.length - from, HypervisorWire.MAX_GREFS);
        Granted granted;
        try {
            granted =
                    link.call(
                            HypervisorWire.MAP,
                            request -> {
                                request.put(domid);
                                request.put(writable ? HypervisorWire.MAP_WRITABLE : 0).put(count);
                                for (int i = 0; i < count; i++) {
                                    request.put(list[from + i]);
                                }
                            },
                            (reply, descriptors) -> granted(reply, descriptors, count));
        } catch (BrokerLink.MapRefused e) {
            int bad = Math.clamp(from + (long) e.position(), from, list.length - 1);
            throw new GrantMapException(domid, list[bad], e.getMessage());
        }
        handles.add(granted.handle());
        return granted;
    }

    /** Maps what was granted, to a place in the range. */
    private static void mapSome(Granted granted, long at, boolean writable, Mapping range) {
        int[] runs = granted.runs();
        int prot = writable ? Mapping.READ | Mapping.WRITE : Mapping.READ;
        for (int i = 0; i < runs.length; i += 3) {
            Fd memory = granted.memory().get(runs[i]);
            long bytes = runs[i + 2] * PAGE;
            range.mapFixed(at, memory, runs[i + 1] * PAGE, bytes, prot);
            at += bytes;
        }
    }

    private static Granted granted(Message reply, List<Fd> descriptors, int asked) {
        int handle = reply.get();
        int mapped = reply.getCount("pages mapped", 1, asked);
        int count = reply.getCount("number of runs", 1, mapped);
        int[] runs = new int[3 * count];
        int pages = 0;
        for (int i = 0; i < runs.length; i += 3) {
            runs[i] = reply.getCount("descriptor", 0, descriptors.size() - 1);
            runs[i + 1] = reply.getCount("page", 0, HypervisorWire.MAX_EXTENT_PAGES - 1);
            runs[i + 2] = reply.getCount("run", 1, mapped - pages);
            pages += runs[i + 2];
        }
        if (pages != mapped) {
            throw new Message.Malformed("runs do not add up");
        }
        return new Granted(handle, mapped, runs, descriptors);
    }

    private synchronized void register(EmulatedMapping mapping) {
        if (closed) {
            throw new NativeException("map", LibC.EBADF(), "the mapper was closed");
        }
        open.push(mapping);
        mappedPages += mapping.pages();
    }

    /** Ends a mapping. */
    void end(EmulatedMapping mapping, Mapping range, List<Integer> handles, int pieces) {
        synchronized (this) {
            open.remove(mapping);
            mappedPages -= mapping.pages();
        }
        release(range, handles);
        givePieces(mapping.domid(), pieces);
    }

    private void release(Mapping range, List<Integer> handles) {
        // Unmap first: once the hypervisor knows, the granting domain may use the pages again.
        range.close();
        for (int handle : handles) {
            if (!link.usable()) {
                return;
            }
            try {
                link.call(HypervisorWire.UNMAP, request -> request.put(handle));
            } catch (NativeException e) {
                LOG.debug("unmapping: {}", e.getMessage());
            }
        }
    }

    @Override
    public synchronized int mappedPages() {
        return mappedPages;
    }

    @Override
    public void close() {
        List<EmulatedMapping> left;
        synchronized (this) {
            closed = true;
            left = new ArrayList<>(open);
        }
        left.forEach(EmulatedMapping::close);
    }
}
