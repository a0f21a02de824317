package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SwitchConfigTest {
    private static SwitchConfig.Builder config() {
        return SwitchConfig.builder().uplink(UplinkSpec.parse("null"));
    }

    @Test
    void framesWaitForLosslessUplinksOnly() {
        assertEquals(Duration.ofSeconds(10), config().build().holdTime(true));
        assertEquals(Duration.ZERO, config().build().holdTime(false));
    }

    @Test
    void unlessAskedOtherwise() {
        SwitchConfig asked = config().rxRetry(Duration.ofMillis(5)).build();
        assertEquals(Duration.ofMillis(5), asked.holdTime(true));
        assertEquals(Duration.ofMillis(5), asked.holdTime(false));
        assertEquals(Duration.ZERO, config().rxRetry(Duration.ZERO).build().holdTime(true));
    }

    private static void refused(String message, SwitchConfig.Builder b) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, b::build).getMessage());
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        refused("uplinks: 0 is not in 1 to 64", SwitchConfig.builder());
        refused("lcores: 0 is not in 1 to 64", config().lcores(List.of()));
        refused("max devices: 3096 is not in 1 to 3095", config().maxDevices(3096));
        refused("max devices per guest: 33 is not in 1 to 32", config().maxDevicesPerGuest(33));
        refused("max frame: 10 is not in 64 to 65535", config().maxFrame(10));
        refused("mbufs: 1 is not in 256 to 8388608", config().mbufs(1));
        refused("flag poll: PT0S is no time", config().flagPoll(Duration.ZERO));
        refused("rx retry: PT-1S is negative", config().rxRetry(Duration.ofSeconds(-1)));
        refused(
                "rx coalesce: PT-0.000000001S is not in 0 to PT0.001S",
                config().rxCoalesce(Duration.ofNanos(-1)));
        refused(
                "rx coalesce: PT0.002S is not in 0 to PT0.001S",
                config().rxCoalesce(Duration.ofMillis(2)));
    }
}
