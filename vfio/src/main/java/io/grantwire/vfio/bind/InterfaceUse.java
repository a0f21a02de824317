package io.grantwire.vfio.bind;

import io.grantwire.vfio.PciFunction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the machine uses the interfaces of a device for: routes, its own or those of what is stacked
 * on it (bond, bridge, VLAN: {@code upper_*} links in sysfs), and the stack itself.
 */
public final class InterfaceUse {
    private static final String UPPER = "upper_";

    private final HostTree tree;
    private final RouteTable routes;

    /**
     * @param tree where interfaces are looked up
     * @param routes the routes there are
     */
    public InterfaceUse(HostTree tree, RouteTable routes) {
        this.tree = tree;
        this.routes = routes;
    }

    /**
     * Why taking the device from the kernel would cut connections: {@code eth0 carries the default
     * route}. Empty when no route leads through it.
     */
    public Optional<String> route(PciFunction function) {
        for (String name : function.interfaces()) {
            Optional<String> own = routes.through(name);
            if (own.isPresent()) {
                return Optional.of(name + " carries " + own.get());
            }
            for (String upper : uppers(name)) {
                Optional<String> above = routes.through(upper);
                if (above.isPresent()) {
                    return Optional.of(upper + ", on top of " + name + ", carries " + above.get());
                }
            }
        }
        return Optional.empty();
    }

    /** Of what its interfaces are members: {@code eth0 is part of br0}; empty when of nothing. */
    public List<String> memberships(PciFunction function) {
        List<String> found = new ArrayList<>();
        for (String name : function.interfaces()) {
            Set<String> uppers = uppers(name);
            if (!uppers.isEmpty()) {
                found.add(name + " is part of " + String.join(", ", uppers));
            }
        }
        return found;
    }

    /** All that is stacked on an interface, nearest first. */
    private Set<String> uppers(String name) {
        Set<String> found = new LinkedHashSet<>();
        Deque<String> todo = new ArrayDeque<>(List.of(name));
        while (!todo.isEmpty()) {
            String lower = todo.remove();
            for (String entry : HostTree.names(tree.sysfs().resolve("class/net").resolve(lower))) {
                if (entry.startsWith(UPPER) && found.add(entry.substring(UPPER.length()))) {
                    todo.add(entry.substring(UPPER.length()));
                }
            }
        }
        return found;
    }
}
