package io.grantwire.tools.testpmd;

import java.util.Locale;

/** Which port sends what another received. */
enum Topology {
    /** 0 and 1 exchange, 2 and 3 exchange; a last odd one sends to itself. */
    PAIRED {
        @Override
        int partner(int index, int count) {
            int other = index ^ 1;
            return other < count ? other : index;
        }
    },
    /** Each sends to the next, the last to the first. */
    CHAINED {
        @Override
        int partner(int index, int count) {
            return (index + 1) % count;
        }
    },
    /** Each sends to itself. */
    LOOP {
        @Override
        int partner(int index, int count) {
            return index;
        }
    };

    /** The transmitting port's place in the list for a receiving port's place. */
    abstract int partner(int index, int count);

    static Topology of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
