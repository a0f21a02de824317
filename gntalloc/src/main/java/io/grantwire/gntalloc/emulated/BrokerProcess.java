package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.UnixSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One connected process: its socket, the domain it has claimed, and what it holds. Only the
 * hypervisor's thread uses it.
 */
final class BrokerProcess {
    private static final long FRAMES = 1L << 32;

    private final long id;
    private final UnixSocket socket;
    private final int pid;
    private final long connectedAt;

    private BrokerDomain domain;
    private int slot;
    private String name = "";
    private Mapping table;
    private int tableEntries;
    private boolean gone;

    private final Map<Integer, BrokerExtent> extents = new HashMap<>();
    private final TreeMap<Long, BrokerExtent> extentsByFrame = new TreeMap<>();
    // Frame 0 is never used, so that a zeroed entry points nowhere.
    private long nextFrame = 1;
    private BrokerExtent lastFound;

    /** Of this process's references; made when the first is mapped. */
    private BrokerGrant[] activeGrants;

    private final Map<Integer, BrokerMapping> mappings = new HashMap<>();
    private final Map<Integer, BrokerPort> ports = new HashMap<>();
    private int nextId = 1;

    BrokerProcess(long id, UnixSocket socket, long now) {
        this.id = id;
        this.socket = socket;
        this.pid = socket.peerPid();
        this.connectedAt = now;
    }

    long id() {
        return id;
    }

    UnixSocket socket() {
        return socket;
    }

    int pid() {
        return pid;
    }

    long connectedAt() {
        return connectedAt;
    }

    boolean claimed() {
        return domain != null;
    }

    BrokerDomain domain() {
        return domain;
    }

    int slot() {
        return slot;
    }

    String name() {
        return name;
    }

    /** The grant table, or null before a domain is claimed and after the process is gone. */
    Mapping table() {
        return table;
    }

    int tableEntries() {
        return tableEntries;
    }

    boolean gone() {
        return gone;
    }

    void markGone() {
        gone = true;
        table = null;
    }

    void claim(BrokerDomain claimed, int itsSlot, String itsName, Mapping itsTable, int entries) {
        domain = claimed;
        slot = itsSlot;
        name = itsName;
        table = itsTable;
        tableEntries = entries;
    }

    /** A number that no extent and no mapping of this process has. */
    int newId() {
        while (true) {
            int candidate = nextId;
            nextId = candidate == Integer.MAX_VALUE ? 1 : candidate + 1;
            if (!extents.containsKey(candidate) && !mappings.containsKey(candidate)) {
                return candidate;
            }
        }
    }

    /** Finds frame numbers for so many pages, unused by any extent. */
    long newFrames(int pages) {
        long from = nextFrame;
        while (true) {
            if (from + pages > FRAMES) {
                from = 1;
            }
            Map.Entry<Long, BrokerExtent> before = extentsByFrame.floorEntry(from + pages - 1);
            if (before == null || before.getValue().endFrame() <= from) {
                nextFrame = from + pages;
                return from;
            }
            from = before.getValue().endFrame();
        }
    }

    void addExtent(BrokerExtent extent) {
        extents.put(extent.id(), extent);
        extentsByFrame.put(extent.firstFrame(), extent);
    }

    /** Forgets an extent, so that its frames point nowhere; null when there is none of that id. */
    BrokerExtent removeExtent(int extentId) {
        BrokerExtent extent = extents.remove(extentId);
        if (extent != null) {
            extentsByFrame.remove(extent.firstFrame());
            lastFound = null;
        }
        return extent;
    }

    BrokerExtent extent(int extentId) {
        return extents.get(extentId);
    }

    List<BrokerExtent> extents() {
        return new ArrayList<>(extents.values());
    }

    /** The extent that holds a frame, or null. */
    BrokerExtent extentOf(long frame) {
        BrokerExtent e = lastFound;
        if (e == null || frame < e.firstFrame() || frame >= e.endFrame()) {
            Map.Entry<Long, BrokerExtent> entry = extentsByFrame.floorEntry(frame);
            if (entry == null || frame >= entry.getValue().endFrame()) {
                return null;
            }
            e = entry.getValue();
            lastFound = e;
        }
        return e;
    }

    BrokerGrant activeGrant(int ref) {
        return activeGrants == null ? null : activeGrants[ref];
    }

    /** Sets or, with null, forgets the active grant of a reference below {@link #tableEntries}. */
    void activeGrant(int ref, BrokerGrant grant) {
        if (activeGrants == null) {
            activeGrants = new BrokerGrant[tableEntries];
        }
        activeGrants[ref] = grant;
    }

    Map<Integer, BrokerMapping> mappings() {
        return mappings;
    }

    Map<Integer, BrokerPort> ports() {
        return ports;
    }

    @Override
    public String toString() {
        String who = "process " + pid;
        if (domain != null) {
            who += " of domain " + domain.domid() + (name.isEmpty() ? "" : " (" + name + ")");
        }
        return who;
    }
}
