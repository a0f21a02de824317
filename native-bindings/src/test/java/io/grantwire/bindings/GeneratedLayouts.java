package io.grantwire.bindings;

import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The facts of {@link GoldenFile}, as the generated classes of a package state them. */
final class GeneratedLayouts {
    private static final String ROOT = "io.grantwire.bindings.gen.";

    private final String generatedPackage;
    private final Map<String, String> facts = new TreeMap<>();

    /**
     * @param generatedPackage the last part of the package's name
     * @param types the C types that the golden file names; classes are matched to them by name
     */
    GeneratedLayouts(String generatedPackage, Set<String> types)
            throws IOException, ReflectiveOperationException {
        this.generatedPackage = generatedPackage;
        String constants = GoldenFile.PACKAGES.get(generatedPackage);
        Map<String, String> cNames =
                types.stream()
                        .collect(Collectors.toMap(t -> t.substring(t.indexOf(' ') + 1), t -> t));
        for (String name : classNames()) {
            Class<?> c = Class.forName(ROOT + generatedPackage + "." + name);
            if (name.equals(constants)) {
                addConstants(c);
            } else if (hasMethod(c, "sizeof")) {
                String type = cNames.getOrDefault(name, name);
                facts.put("type " + type, call(c, "sizeof").toString());
                addFields(c, type, "", 0);
            }
        }
    }

    Map<String, String> facts() {
        return facts;
    }

    private Set<String> classNames() throws IOException {
        try {
            Path root =
                    Path.of(Fd.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            Path dir = root.resolve((ROOT + generatedPackage).replace('.', '/'));
            try (Stream<Path> files = Files.list(dir)) {
                return files.map(f -> f.getFileName().toString())
                        .filter(f -> f.endsWith(".class") && !f.contains("$"))
                        .map(f -> f.substring(0, f.length() - ".class".length()))
                        .collect(Collectors.toSet());
            }
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }

    private void addFields(Class<?> c, String type, String prefix, long base)
            throws ReflectiveOperationException {
        for (Method m : c.getDeclaredMethods()) {
            String name = m.getName();
            if (!name.endsWith("$offset") || m.getParameterCount() != 0) {
                continue;
            }
            name = name.substring(0, name.length() - "$offset".length());
            long offset = base + (long) m.invoke(null);
            long size = ((MemoryLayout) call(c, name + "$layout")).byteSize();
            facts.put("field " + type + " " + prefix + name, offset + " " + size);
            for (Class<?> nested : c.getDeclaredClasses()) {
                if (nested.getSimpleName().equals(name)) {
                    addFields(nested, type, prefix + name + ".", offset);
                }
            }
        }
    }

    /**
     * jextract keeps a constant in a private field and hands it out by a method of the same name.
     */
    private void addConstants(Class<?> c) throws ReflectiveOperationException {
        for (Field f : c.getDeclaredFields()) {
            boolean number = f.getType() == int.class || f.getType() == long.class;
            if (number && Modifier.isPrivate(f.getModifiers())) {
                facts.put("constant " + f.getName(), call(c, f.getName()).toString());
            }
        }
    }

    private static boolean hasMethod(Class<?> c, String name) {
        return Stream.of(c.getDeclaredMethods()).anyMatch(m -> m.getName().equals(name));
    }

    private static Object call(Class<?> c, String name) throws ReflectiveOperationException {
        return c.getMethod(name).invoke(null);
    }
}
