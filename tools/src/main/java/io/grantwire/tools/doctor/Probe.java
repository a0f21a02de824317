package io.grantwire.tools.doctor;

import java.util.List;

/** Looks at one side of the machine; changes nothing, needs no rights. */
@FunctionalInterface
interface Probe {
    List<Finding> look(Machine machine);
}
