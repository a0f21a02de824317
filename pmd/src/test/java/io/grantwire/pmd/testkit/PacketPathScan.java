package io.grantwire.pmd.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.NewMultiArrayInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewPrimitiveArrayInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.classfile.instruction.ThrowInstruction;
import java.lang.reflect.AccessFlag;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the byte code of everything that can be reached from the packet path's entry points, within
 * io.grantwire, and finds what has no place there: locks, volatile accesses, downcalls, logging,
 * waiting, allocation, exceptions, and method or variable handles that are not static and final.
 *
 * <p>Calls of abstract methods are followed into the classes given to {@link #implementations}.
 */
public final class PacketPathScan {
    private static final String OURS = "io/grantwire/";

    /** Calls outside io.grantwire that are refused: owner, name, and why. */
    private static final Map<Pattern, String> REFUSED =
            Map.of(
                    Pattern.compile("java/lang/invoke/VarHandle\\.(get|set)Volatile"),
                    "volatile access",
                    Pattern.compile("java/lang/invoke/MethodHandle\\.invoke.*"),
                    "method handle call (downcall)",
                    Pattern.compile("org/slf4j/.*"),
                    "logging",
                    Pattern.compile("java/util/concurrent/locks/.*"),
                    "lock or park",
                    Pattern.compile("java/lang/Thread\\.(sleep|join|start)"),
                    "waiting",
                    Pattern.compile("java/lang/Object\\.(wait|notify|notifyAll)"),
                    "waiting",
                    Pattern.compile(
                            "java/lang/(Integer|Long|Short|Byte|Boolean|Character)\\.valueOf"),
                    "boxing",
                    Pattern.compile("java/lang/foreign/Arena\\..*"),
                    "native allocation");

    private record Call(String owner, String name, String type) {
        String key() {
            return owner + "." + name;
        }
    }

    private final Map<String, ClassModel> classes = new HashMap<>();
    private final Map<String, String> excused = new HashMap<>();
    private final Set<String> used = new HashSet<>();
    private final List<String> implementations = new ArrayList<>();
    private final Deque<Call> todo = new ArrayDeque<>();
    private final Set<Call> seen = new HashSet<>();
    private final List<String> findings = new ArrayList<>();

    /** Nothing to scan yet. */
    public PacketPathScan() {}

    /** Starts from all methods of a class with one of these names, or from all of its methods. */
    public PacketPathScan from(Class<?> c, String... names) {
        Set<String> wanted = Set.of(names);
        Set<String> found = new HashSet<>();
        String owner = c.getName().replace('.', '/');
        for (MethodModel m : load(owner).methods()) {
            String name = m.methodName().stringValue();
            if (wanted.isEmpty() ? !name.startsWith("<") : wanted.contains(name)) {
                todo.add(new Call(owner, name, m.methodType().stringValue()));
                found.add(name);
            }
        }
        if (!found.containsAll(wanted)) {
            throw new IllegalArgumentException(c + " lacks some of " + wanted);
        }
        return this;
    }

    /** Follows calls of abstract or overridden methods into these classes as well. */
    public PacketPathScan implementations(Class<?>... some) {
        for (Class<?> c : some) {
            implementations.add(c.getName().replace('.', '/'));
        }
        return this;
    }

    /** Does not look into a method. The reason is for the reader. */
    public PacketPathScan excuse(Class<?> c, String name, String reason) {
        excused.put(c.getName().replace('.', '/') + "." + name, reason);
        return this;
    }

    /** What was found, one line each; excuses that were not needed as well. */
    public List<String> findings() {
        while (!todo.isEmpty()) {
            Call call = todo.poll();
            if (seen.add(call)) {
                scan(call);
            }
        }
        for (String key : excused.keySet()) {
            if (!used.contains(key)) {
                findings.add(key + " is excused but never reached");
            }
        }
        return List.copyOf(findings);
    }

    /** How many methods were read. */
    public int methods() {
        return seen.size();
    }

    private ClassModel load(String name) {
        return classes.computeIfAbsent(
                name,
                n -> {
                    try (InputStream in =
                            PacketPathScan.class.getResourceAsStream("/" + n + ".class")) {
                        if (in == null) {
                            throw new IllegalStateException("no class file of " + n);
                        }
                        ClassModel model = ClassFile.of().parse(in.readAllBytes());
                        checkHandles(model);
                        return model;
                    } catch (IOException e) {
                        throw new IllegalStateException(n, e);
                    }
                });
    }

    private void checkHandles(ClassModel model) {
        for (FieldModel f : model.fields()) {
            String type = f.fieldType().stringValue();
            boolean handle =
                    type.equals("Ljava/lang/invoke/VarHandle;")
                            || type.equals("Ljava/lang/invoke/MethodHandle;");
            if (handle && !(f.flags().has(AccessFlag.STATIC) && f.flags().has(AccessFlag.FINAL))) {
                findings.add(
                        model.thisClass().asInternalName()
                                + "."
                                + f.fieldName().stringValue()
                                + ": a handle that is not static final");
            }
        }
    }

    private void scan(Call referred) {
        Call call = resolve(referred);
        if (call == null) {
            return;
        }
        if (excused.containsKey(call.key())) {
            used.add(call.key());
            return;
        }
        MethodModel method = declared(call);
        String where = call.key();
        if (method.flags().has(AccessFlag.SYNCHRONIZED)) {
            findings.add(where + ": synchronized");
        }
        method.findAttribute(Attributes.code())
                .ifPresent(code -> {
                    int line = 0;
                    for (Object e : (Iterable<?>) code) {
                        if (e instanceof LineNumber l) {
                            line = l.line();
                        } else if (e instanceof CodeElement element) {
                            inspect(element, where + ":" + line);
                        }
                    }
                });
    }

    /** The method in the class that declares it; queues what may override it. */
    private Call resolve(Call call) {
        for (String implementation : implementations) {
            if (!implementation.equals(call.owner) && extendsClass(implementation, call.owner)) {
                Call override = new Call(implementation, call.name, call.type);
                if (declared(override) != null) {
                    todo.add(override);
                }
            }
        }
        String owner = call.owner;
        while (owner.startsWith(OURS)) {
            Call here = new Call(owner, call.name, call.type);
            if (declared(here) != null) {
                return here;
            }
            owner = load(owner).superclass().orElseThrow().asInternalName();
        }
        return null;
    }

    private MethodModel declared(Call call) {
        for (MethodModel m : load(call.owner).methods()) {
            if (m.methodName().stringValue().equals(call.name)
                    && m.methodType().stringValue().equals(call.type)) {
                return m;
            }
        }
        return null;
    }

    private boolean extendsClass(String name, String ancestor) {
        String at = name;
        while (at.startsWith(OURS)) {
            ClassModel model = load(at);
            if (at.equals(ancestor)
                    || model.interfaces().stream()
                            .anyMatch(i -> i.asInternalName().equals(ancestor))) {
                return true;
            }
            at = model.superclass().orElseThrow().asInternalName();
        }
        return false;
    }

    private void inspect(CodeElement element, String where) {
        switch (element) {
            case MonitorInstruction m -> findings.add(where + ": monitor");
            case ThrowInstruction t -> findings.add(where + ": exception thrown");
            case InvokeDynamicInstruction i ->
                    findings.add(where + ": allocation (" + i.name().stringValue() + ")");
            case NewObjectInstruction n ->
                    findings.add(where + ": allocation of " + n.className().asInternalName());
            case NewPrimitiveArrayInstruction n -> findings.add(where + ": allocation of an array");
            case NewReferenceArrayInstruction n -> findings.add(where + ": allocation of an array");
            case NewMultiArrayInstruction n -> findings.add(where + ": allocation of an array");
            case FieldInstruction f -> inspectField(f, where);
            case InvokeInstruction i -> inspectCall(i, where);
            default -> {}
        }
    }

    private void inspectField(FieldInstruction f, String where) {
        String owner = f.owner().asInternalName();
        String name = f.name().stringValue();
        while (owner.startsWith(OURS)) {
            ClassModel model = load(owner);
            for (FieldModel field : model.fields()) {
                if (field.fieldName().stringValue().equals(name)) {
                    if (field.flags().has(AccessFlag.VOLATILE)) {
                        findings.add(where + ": volatile field " + name);
                    }
                    return;
                }
            }
            owner = model.superclass().orElseThrow().asInternalName();
        }
    }

    private void inspectCall(InvokeInstruction i, String where) {
        String owner = i.owner().asInternalName();
        if (owner.startsWith("[")) {
            if (i.name().equalsString("clone")) {
                findings.add(where + ": allocation of an array");
            }
            return;
        }
        Call call = new Call(owner, i.name().stringValue(), i.type().stringValue());
        if (owner.startsWith(OURS)) {
            if (i.opcode() != Opcode.INVOKEINTERFACE || followable(owner)) {
                todo.add(call);
            }
            return;
        }
        REFUSED.forEach((pattern, why) -> {
            if (pattern.matcher(call.key()).matches()) {
                findings.add(where + ": " + why + " " + call.key());
            }
        });
    }

    private boolean followable(String owner) {
        Collection<String> known = implementations;
        return known.stream().anyMatch(c -> extendsClass(c, owner));
    }
}
