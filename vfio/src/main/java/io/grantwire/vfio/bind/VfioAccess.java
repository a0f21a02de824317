package io.grantwire.vfio.bind;

import io.grantwire.bindings.NativeException;
import io.grantwire.vfio.Iommu;
import io.grantwire.vfio.PciAddress;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.ArrayList;
import java.util.List;

/** What vfio-pci needs beside the binding: an IOMMU or leave to go without, and users' rights. */
public final class VfioAccess {
    private final HostTree tree;
    private final AttributeWriter writer;

    /**
     * @param tree whose devices
     * @param writer what carries requests to the kernel
     */
    public VfioAccess(HostTree tree, AttributeWriter writer) {
        this.tree = tree;
        this.writer = writer;
    }

    /** Whether vfio-pci would take devices now: there is an IOMMU, or it may do without. */
    public boolean isReady() {
        Iommu iommu = new Iommu(tree.sysfs());
        return iommu.isPresent() || iommu.unsafeModeEnabled();
    }

    /** The module parameter that lets vfio-pci do without an IOMMU. */
    public Path unsafeModeParameter() {
        return tree.sysfs().resolve("module/vfio/parameters/enable_unsafe_noiommu_mode");
    }

    /**
     * Lets vfio-pci do without an IOMMU.
     *
     * @throws BindException if the kernel cannot
     */
    public void enableUnsafeMode() {
        try {
            writer.write(unsafeModeParameter(), "1");
        } catch (NativeException e) {
            String hint =
                    e.errnoName().equals("ENOENT")
                            ? "; vfio is not loaded (modprobe vfio), or the kernel was built without"
                                    + " CONFIG_VFIO_NOIOMMU"
                            : "";
            throw new BindException(
                    "cannot enable unsafe no-IOMMU mode - " + e.getMessage() + hint, e);
        }
    }

    /**
     * The nodes that a program opens to use a device on vfio-pci: its group's, and its own where
     * the kernel has them. They appear with the binding.
     */
    public List<Path> nodes(PciAddress address) {
        List<Path> nodes = new ArrayList<>();
        try {
            Path link = tree.device(address).resolve("iommu_group");
            String group = Files.readSymbolicLink(link).getFileName().toString();
            Path vfio = tree.dev().resolve("vfio");
            for (Path node : List.of(vfio.resolve(group), vfio.resolve("noiommu-" + group))) {
                if (Files.exists(node)) {
                    nodes.add(node);
                }
            }
        } catch (IOException noGroup) {
            // Not on vfio-pci.
        }
        for (String name : HostTree.names(tree.device(address).resolve("vfio-dev"))) {
            Path node = tree.dev().resolve("vfio/devices").resolve(name);
            if (Files.exists(node)) {
                nodes.add(node);
            }
        }
        return nodes;
    }

    /**
     * Gives a device's nodes to a user, a group, or both.
     *
     * @param user name or number, or null to leave it
     * @param group name or number, or null to leave it
     * @return the nodes that were changed
     * @throws BindException if there is no such user, no node, or no right to
     */
    public List<Path> giveTo(PciAddress address, String user, String group) {
        checkOwner(user, group);
        List<Path> nodes = nodes(address);
        if (nodes.isEmpty()) {
            throw new BindException(
                    "%s is bound, but %s has no node for its group; is the vfio module loaded?"
                            .formatted(address, tree.dev().resolve("vfio")),
                    null);
        }
        for (Path node : nodes) {
            try {
                change(node, user, group);
            } catch (IOException e) {
                String reason = e instanceof FileSystemException f ? f.getReason() : null;
                throw new BindException(
                        "%s is bound, but the owner of %s cannot be changed - %s; run it with sudo"
                                .formatted(address, node, reason == null ? e.getMessage() : reason),
                        e);
            }
        }
        return nodes;
    }

    /**
     * Checks that a user and a group exist, before anything is changed.
     *
     * @throws BindException if one does not
     */
    public void checkOwner(String user, String group) {
        UserPrincipalLookupService names =
                tree.dev().getFileSystem().getUserPrincipalLookupService();
        try {
            if (user != null) {
                names.lookupPrincipalByName(user);
            }
        } catch (IOException e) {
            throw new BindException("there is no user '" + user + "'", e);
        }
        try {
            if (group != null) {
                names.lookupPrincipalByGroupName(group);
            }
        } catch (IOException e) {
            throw new BindException("there is no group '" + group + "'", e);
        }
    }

    private static void change(Path node, String user, String group) throws IOException {
        UserPrincipalLookupService names = node.getFileSystem().getUserPrincipalLookupService();
        PosixFileAttributeView view =
                Files.getFileAttributeView(node, PosixFileAttributeView.class);
        if (user != null) {
            view.setOwner(names.lookupPrincipalByName(user));
        }
        if (group != null) {
            view.setGroup(names.lookupPrincipalByGroupName(group));
        }
    }
}
