package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.vswitch.SwitchStats.DeviceStats;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A switch over real front ends on an emulated host, all in one JVM. */
abstract class SwitchBed {
    static final long MAC1 = 0x0000_0000_0011L;
    static final long MAC2 = 0x0000_0000_0022L;
    static final long STRANGER = 0x0200_0000_0099L;

    final MemoryWire wire = new MemoryWire(true, 1);
    LogLines log;
    Bed bed;
    Switch sw;

    @BeforeEach
    void startHost() {
        log = new LogLines("DATA", "CONFIG", "PORT", "XENHOST", "XENSTORE", "PMD");
        bed = new Bed();
    }

    @AfterEach
    void stopHost() throws Exception {
        if (sw != null) {
            sw.close();
            assertEquals(0, bed.dom0().mapper().mappedPages(), "pages stay mapped");
        }
        bed.close();
        log.close();
    }

    SwitchConfig.Builder config() {
        return SwitchConfig.builder().uplink(UplinkSpec.of("memory", domain -> wire));
    }

    void start(SwitchConfig.Builder config) {
        sw = Switch.start(config.build(), bed.dom0());
    }

    void start(SwitchConfig.Builder config, Domain domain) {
        sw = Switch.start(config.build(), domain);
    }

    FrontEnd frontEnd(int domid, long mac) {
        FrontEnd f = bed.keep(new FrontEnd(bed.guest(domid), 0, mac));
        awaitDevices(sw.stats().devices().size(), domid);
        return f;
    }

    void awaitDevices(int atLeast, int domid) {
        Bed.await(
                "device of guest " + domid,
                () -> sw.stats().devices().stream().anyMatch(d -> d.domid() == domid),
                log::lines);
        assertTrue(sw.stats().devices().size() >= atLeast);
    }

    DeviceStats device(int number) {
        return sw.stats().devices().stream()
                .filter(d -> d.number() == number)
                .findFirst()
                .orElseThrow();
    }

    List<byte[]> fromWire(int count) {
        Bed.await(count + " frames on the wire", () -> wire.out.size() >= count);
        List<byte[]> frames = new ArrayList<>(wire.out);
        wire.out.clear();
        return frames;
    }

    static void assertFrames(List<byte[]> expected, List<byte[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), "frame " + i);
        }
    }
}
