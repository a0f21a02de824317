package io.grantwire.tools.doctor;

import java.util.ArrayList;
import java.util.List;

/** The Java virtual machine and the options this program runs with. */
final class JavaProbe implements Probe {
    private static final String AREA = "Java";

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        found.add(
                Finding.ok(
                        AREA,
                        "virtual machine",
                        System.getProperty("java.vm.name")
                                + " "
                                + Runtime.version()
                                + " in "
                                + System.getProperty("java.home")));
        boolean named = JavaProbe.class.getModule().isNamed();
        found.add(
                named
                        ? Finding.ok(AREA, "modules", "on the module path")
                        : Finding.note(
                                AREA, "modules", "on the class path; ./grantwire uses modules"));
        boolean fenced =
                !named || io.grantwire.bindings.Errno.class.getModule().isNativeAccessEnabled();
        found.add(
                fenced
                        ? Finding.ok(AREA, "native access", "for io.grantwire.bindings")
                        : Finding.lack(
                                AREA,
                                "native access",
                                "not granted",
                                "java --enable-native-access=io.grantwire.bindings …"));
        found.add(
                Finding.note(
                        AREA,
                        "heap",
                        Runtime.getRuntime().maxMemory() / (1 << 20) + " MiB at most"));
        for (String variable : List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")) {
            String value = m.environment().get(variable);
            if (value != null) {
                found.add(Finding.note(AREA, variable, value));
            }
        }
        return found;
    }
}
