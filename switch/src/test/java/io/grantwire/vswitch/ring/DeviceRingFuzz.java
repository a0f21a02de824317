package io.grantwire.vswitch.ring;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whatever a guest writes into its rings and descriptors, the walker serves the chains that the
 * reference walker finds good, byte for byte, and gives its verdict on the rest. Runs over its
 * corpus in every build; {@code ./grantwire verify --fuzz SECONDS} searches for new inputs.
 */
class DeviceRingFuzz {
    private static final RingScript SCRIPT = new RingScript();
    private static final RingCheck CHECK = new RingCheck();
    private static final AtomicLong STATES = new AtomicLong();

    static {
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> System.err.println("ring states tried: " + STATES)));
    }

    @FuzzTest(maxDuration = "60s")
    void anyRingIsServedOrRefusedAsTheReferenceSays(byte[] bytes) {
        SCRIPT.load(bytes);
        CHECK.run(SCRIPT, false);
        SCRIPT.load(bytes);
        CHECK.run(SCRIPT, true);
        STATES.addAndGet(2);
    }
}
