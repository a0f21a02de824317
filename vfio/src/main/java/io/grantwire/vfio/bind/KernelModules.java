package io.grantwire.vfio.bind;

import io.grantwire.vfio.PciAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Kernel modules: those that are loaded, and those that say they can drive a device. In names
 * {@code -} and {@code _} are the same, as for modprobe.
 *
 * <p>What is read once is kept: an instance serves one look at the machine.
 */
public final class KernelModules {
    private final HostTree tree;
    private Set<String> loaded;
    private List<Alias> pciAliases;

    private record Alias(String pattern, String module) {}

    /**
     * @param tree where to look
     */
    public KernelModules(HostTree tree) {
        this.tree = tree;
    }

    /** Whether a module is loaded, or built into the kernel. */
    public boolean isLoaded(String name) {
        if (loaded == null) {
            loaded = new TreeSet<>();
            HostTree.names(tree.sysfs().resolve("module")).forEach(m -> loaded.add(plain(m)));
            for (String line : HostTree.lines(tree.runningModules().resolve("modules.builtin"))) {
                String file = line.substring(line.lastIndexOf('/') + 1);
                int suffix = file.indexOf(".ko");
                loaded.add(plain(suffix < 0 ? file : file.substring(0, suffix)));
            }
        }
        return loaded.contains(plain(name));
    }

    /**
     * The modules whose alias list names a device (depmod's {@code modules.alias}; for what is
     * built in, {@code modules.builtin.modinfo}), each once, in the lists' order.
     */
    public List<String> candidates(PciAddress address) {
        List<String> alias = HostTree.lines(tree.device(address).resolve("modalias"));
        if (alias.isEmpty() || !alias.getFirst().startsWith("pci:v")) {
            return List.of();
        }
        String wanted = alias.getFirst().strip();
        // pci:v00008086d…: almost every pattern spells the vendor out, so most need no matching.
        String vendor = wanted.substring(0, Math.min(wanted.length(), "pci:v00000000".length()));
        Set<String> found = new LinkedHashSet<>();
        for (Alias a : aliases()) {
            boolean plausible =
                    a.pattern().startsWith(vendor)
                            || ShellPattern.isPattern(
                                    a.pattern()
                                            .substring(
                                                    0,
                                                    Math.min(
                                                            vendor.length(),
                                                            a.pattern().length())));
            if (plausible && new ShellPattern(a.pattern()).matches(wanted)) {
                found.add(a.module());
            }
        }
        return List.copyOf(found);
    }

    /** A name with {@code _} for every {@code -}, as the kernel keeps it. */
    static String plain(String name) {
        return name.replace('-', '_').toLowerCase(Locale.ROOT);
    }

    private List<Alias> aliases() {
        if (pciAliases == null) {
            pciAliases = new ArrayList<>();
            Path dir = tree.runningModules();
            for (String line : HostTree.lines(dir.resolve("modules.alias"))) {
                String[] words = line.split(" ");
                if (words.length == 3 && words[1].startsWith("pci:")) {
                    pciAliases.add(new Alias(words[1], words[2]));
                }
            }
            addBuiltIn(dir.resolve("modules.builtin.modinfo"));
        }
        return pciAliases;
    }

    /**
     * Adds the aliases of what is built in: records {@code name.alias=pattern} between zero bytes.
     */
    private void addBuiltIn(Path modinfo) {
        try {
            String all = Files.readString(modinfo, StandardCharsets.ISO_8859_1);
            for (String record : all.split("\0")) {
                int is = record.indexOf(".alias=pci:");
                if (is > 0) {
                    pciAliases.add(
                            new Alias(
                                    record.substring(is + ".alias=".length()),
                                    record.substring(0, is)));
                }
            }
        } catch (IOException absent) {
            // Kernels before 5.2 have no such file.
        }
    }
}
