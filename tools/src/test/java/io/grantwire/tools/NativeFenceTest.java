package io.grantwire.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Only the bindings call what can crash the virtual machine. The virtual machine enforces it too,
 * but only where a call is reached; this reads every compiled class. It stands in the last module
 * that is built, so that all the others are there to read.
 */
class NativeFenceTest {
    private static final Path PROJECT = Path.of("").toAbsolutePath().getParent();
    private static final String BINDINGS = "native-bindings";
    private static final String GENERATED = "io/grantwire/bindings/gen/";

    /** The methods that the API documentation of JDK 25 calls restricted, by owner. */
    private static final Map<String, Set<String>> RESTRICTED =
            Map.of(
                    "java/lang/foreign/MemorySegment", Set.of("reinterpret"),
                    "java/lang/foreign/AddressLayout", Set.of("withTargetLayout"),
                    "java/lang/foreign/Linker", Set.of("downcallHandle", "upcallStub"),
                    "java/lang/foreign/SymbolLookup", Set.of("libraryLookup"),
                    "java/lang/ModuleLayer$Controller", Set.of("enableNativeAccess"),
                    "java/lang/System", Set.of("load", "loadLibrary"),
                    "java/lang/Runtime", Set.of("load", "loadLibrary"));

    /** Ways around the segments' bounds that are not called restricted. */
    private static final Set<String> FORBIDDEN_CLASSES =
            Set.of("sun/misc/Unsafe", "jdk/internal/misc/Unsafe");

    @Test
    void noModuleButTheBindingsCallsRestrictedMethods() throws IOException {
        List<String> violations = new ArrayList<>();
        List<String> read = new ArrayList<>();
        for (Path module : modules()) {
            String name = module.getFileName().toString();
            if (!name.equals(BINDINGS)) {
                read.add(name);
                violations.addAll(violationsUnder(module.resolve("target/classes")));
            }
        }
        assertTrue(read.containsAll(List.of("pmd", "switch", "tools")), "only read " + read);
        assertEquals(List.of(), violations);
    }

    @Test
    void theBindingsThemselvesWouldBeFoundOut() throws IOException {
        Path classes = PROJECT.resolve(BINDINGS).resolve("target/classes");
        List<String> found = violationsUnder(classes);
        assertFalse(found.isEmpty());
        for (String call :
                List.of(
                        "MemorySegment.reinterpret",
                        "Linker.downcallHandle",
                        "SymbolLookup.libraryLookup")) {
            assertTrue(found.stream().anyMatch(f -> f.endsWith(call)), call);
        }
    }

    /** Directories of the project that hold compiled classes. */
    private static List<Path> modules() throws IOException {
        try (Stream<Path> all = Files.list(PROJECT)) {
            return all.filter(d -> Files.exists(d.resolve("pom.xml")))
                    .filter(d -> Files.isDirectory(d.resolve("target/classes")))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> violationsUnder(Path classes) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(classes)) {
            files = all.filter(f -> f.toString().endsWith(".class")).sorted().toList();
        }
        List<String> violations = new ArrayList<>();
        for (Path file : files) {
            collect(ClassFile.of().parse(file), violations);
        }
        return violations;
    }

    private static void collect(ClassModel model, List<String> violations) {
        String self = model.thisClass().asInternalName();
        for (PoolEntry entry : model.constantPool()) {
            switch (entry) {
                case MemberRefEntry member -> {
                    String owner = member.owner().asInternalName();
                    String method = member.name().stringValue();
                    // jextract gives every structure a reinterpret of its own.
                    boolean generated = owner.startsWith(GENERATED) && method.equals("reinterpret");
                    if (generated || RESTRICTED.getOrDefault(owner, Set.of()).contains(method)) {
                        String simple = owner.substring(owner.lastIndexOf('/') + 1);
                        violations.add(self + " calls " + simple + "." + method);
                    }
                }
                case ClassEntry type -> {
                    if (FORBIDDEN_CLASSES.contains(type.asInternalName())) {
                        violations.add(self + " uses " + type.asInternalName());
                    }
                }
                default -> {}
            }
        }
        for (MethodModel method : model.methods()) {
            if (method.flags().has(AccessFlag.NATIVE)) {
                violations.add(self + " declares native " + method.methodName().stringValue());
            }
        }
    }
}
