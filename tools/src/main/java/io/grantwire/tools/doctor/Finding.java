package io.grantwire.tools.doctor;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One thing about this machine.
 *
 * @param area what it belongs to, for instance {@code Xen}
 * @param what the thing looked for
 * @param state whether it is there
 * @param detail what was found, or what is lost without it
 * @param mend the command to type when it lacks; empty when there is nothing to do
 */
record Finding(String area, String what, State state, String detail, String mend) {
    /** Whether something is there. */
    enum State {
        /** It is there and will do. */
        OK,
        /** It lacks, and something here needs it. */
        LACK,
        /** Worth knowing, neither good nor bad. */
        NOTE
    }

    static Finding ok(String area, String what, String detail) {
        return new Finding(area, what, State.OK, detail, "");
    }

    static Finding note(String area, String what, String detail) {
        return new Finding(area, what, State.NOTE, detail, "");
    }

    static Finding lack(String area, String what, String detail, String mend) {
        return new Finding(area, what, State.LACK, detail, mend);
    }

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("area", area);
        map.put("what", what);
        map.put("state", state.name().toLowerCase(java.util.Locale.ROOT));
        map.put("detail", detail);
        map.put("mend", mend.isEmpty() ? null : mend);
        return map;
    }
}
