package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.hostile.FieldFlipper;
import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.pmd.hostile.KeyAttack;
import io.grantwire.pmd.hostile.RingAttack;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two honest guests exchange frames beside a hostile one of every kind: they lose none, and the
 * time a frame takes in the middle is at most twice that of a quiet run just before.
 */
@Tag("machine")
class NeighboursIT {
    private static final long VA = 0x7f00_0000_0000L;
    private static final String MAC = "00:00:00:00:00:66";
    private static final long EVIL = 0x66;
    private static final int MOST_TRIPS = 1_000_000;
    private static final long RUN_NANOS = 300_000_000L;
    private static final long LONGEST_RUN_NANOS = 20_000_000_000L;
    private static final int LEAST_STEPS = 50;

    /** More when quiet means that guests and switch wait for processors, not for each other. */
    private static final long BUSY_NANOS = 200_000;

    /** The machine may be busy with something else during one of two runs. */
    private static final int ATTEMPTS = 4;

    /** What the hostile guest does, again and again. */
    enum Kind {
        /** Sends as much as it can to the wire. */
        FLOODS_THE_WIRE {
            @Override
            void step(NeighboursIT it, int n) {
                it.send(0x0200_0000_0099L, n);
            }
        },

        /** Sends as much as it can to itself, which goes nowhere. */
        FLOODS_ITSELF {
            @Override
            void step(NeighboursIT it, int n) {
                it.send(EVIL, n);
            }
        },

        /** Posts no buffer, while frames for it come. */
        NEVER_READS {
            @Override
            void step(NeighboursIT it, int n) {
                it.wire.in.add(Frames.tagged(Frames.frame(EVIL, 1, 60, n), 1002));
            }
        },

        /** Breaks a rule of its rings, and starts its device anew. */
        BREAKS_RINGS {
            @Override
            void step(NeighboursIT it, int n) {
                if (n % 64 == 0) {
                    RingAttack attack = RingAttack.values()[n / 64 % RingAttack.values().length];
                    attack.on(
                            attack.ring() == RingAttack.Ring.RX ? it.evil.rx : it.evil.tx,
                            VA,
                            64 * 4096);
                }
                if (n % 64 == 63 && n < 64 * 60) {
                    it.evil.device(0, MAC);
                }
            }
        },

        /** Writes keys that lie, and start keys. */
        LIES_IN_KEYS {
            @Override
            void step(NeighboursIT it, int n) {
                if (n < 100) {
                    it.evil.rings(1).flag(1, "00:00:00:00:00:67");
                    KeyAttack attack = KeyAttack.values()[n % 11];
                    attack.on(it.evil, 1);
                }
                it.evil.start(1);
            }
        },

        /** Asks for devices without end. */
        STARTS_DEVICES {
            @Override
            void step(NeighboursIT it, int n) {
                it.evil.put("0_ether_addr", MacAddress.format(0x6600 + n % 50));
                it.evil.start(0);
            }
        },

        /** Watches everything it may, and writes so that the watches fire. */
        FLOODS_THE_STORE {
            @Override
            void step(NeighboursIT it, int n) {
                if (n < 100) {
                    it.evil.guest().xenstore().watch(it.evil.path("x" + n), "t" + n);
                }
                it.evil.put("x" + n % 100, "y" + n);
            }
        };

        abstract void step(NeighboursIT it, int n);
    }

    private final MemoryWire wire = new MemoryWire(true, 1);
    private LogLines log;
    private Bed bed;
    private Switch sw;
    private FrontEnd vm1;
    private FrontEnd vm2;
    private HostileDriver evil;
    private GrantShare pool;
    private int seed;
    private int offered;

    @BeforeEach
    void start() {
        log = new LogLines("DATA", "PORT", "XENHOST", "PMD");
        bed = new Bed();
        sw =
                Switch.start(
                        SwitchConfig.builder().uplink(UplinkSpec.of("memory", d -> wire)).build(),
                        bed.dom0());
        vm1 = bed.keep(new FrontEnd(bed.guest(1), 0, 0x11));
        vm2 = bed.keep(new FrontEnd(bed.guest(2), 0, 0x22));
        evil = new HostileDriver(bed.guest(3));
        pool = evil.pool(0, 64, VA);
        evil.device(0, MAC);
        Bed.await("all of them", () -> sw.stats().devices().size() == 3, log::lines);
    }

    @AfterEach
    void stop() throws Exception {
        sw.close();
        assertEquals(0, bed.dom0().mapper().mappedPages());
        bed.close();
        log.close();
    }

    private void send(long to, int n) {
        while ((offered - evil.tx.usedIdx() & 0xffff) < 120) {
            int d = offered % 128 * 2;
            byte[] frame = Frames.frame(to, EVIL, 60, n);
            MemorySegment.copy(frame, 0, pool.segment(), ValueLayout.JAVA_BYTE, d * 64L, 60);
            evil.tx.desc(d, 0, 10, 1, d + 1);
            evil.tx.desc(d + 1, VA + d * 64L, 60, 0, 0);
            evil.tx.offer(d);
            offered = offered + 1 & 0xffff;
        }
    }

    /** A frame there and one back, so often; the time in the middle, in nanoseconds. */
    private long middle(BooleanSupplier enough) {
        long[] times = new long[MOST_TRIPS];
        long start = System.nanoTime();
        int trips = 0;
        while (trips < MOST_TRIPS
                && (System.nanoTime() - start < RUN_NANOS || !enough.getAsBoolean())
                && System.nanoTime() - start < LONGEST_RUN_NANOS) {
            long begin = System.nanoTime();
            vm1.sendSurely(Frames.frame(0x22, 0x11, 60, seed));
            assertEquals(seed, Frames.seed(take(vm2)));
            vm2.sendSurely(Frames.frame(0x11, 0x22, 60, seed));
            assertEquals(seed++, Frames.seed(take(vm1)));
            times[trips++] = System.nanoTime() - begin;
        }
        Arrays.sort(times, 0, trips);
        return times[trips / 2];
    }

    private static byte[] take(FrontEnd f) {
        long end = System.nanoTime() + 5_000_000_000L;
        while (true) {
            List<byte[]> some = f.receive();
            if (!some.isEmpty()) {
                assertEquals(1, some.size());
                return some.get(0);
            }
            assertTrue(System.nanoTime() < end, "a frame is lost");
            Thread.onSpinWait();
        }
    }

    /**
     * Losses are looked at whether or not the times mean anything.
     *
     * @param threads that never rest. With fewer processors they wait for each other, which tells
     *     of the machine's scheduler: then the quiet run has a neighbour that never rests either,
     *     but touches nothing
     */
    private void compare(
            String kind, int threads, Runnable begin, BooleanSupplier enough, Runnable end) {
        boolean crowded = Runtime.getRuntime().availableProcessors() < threads;
        middle(() -> true);
        long quiet = 0;
        long beside = 0;
        for (int i = 0;
                i < ATTEMPTS && (i == 0 || quiet >= BUSY_NANOS || beside > 2 * quiet);
                i++) {
            try (Spinner _ = crowded ? new Spinner() : null) {
                quiet = middle(() -> true);
            }
            begin.run();
            beside = middle(enough);
            end.run();
        }
        System.out.printf(
                "%s: there and back in %.1f us when quiet%s, %.1f us beside it%n",
                kind, quiet / 1e3, crowded ? " but for a thread that spins" : "", beside / 1e3);
        assertTrue(sw.stats().workers().stream().allMatch(SwitchStats.WorkerStats::running));
        sw.stats().devices().stream()
                .filter(d -> d.domid() < 3)
                .forEach(d -> assertEquals(0, d.rx().dropped() + d.tx().dropped(), d.toString()));
        assumeTrue(
                quiet < BUSY_NANOS,
                "this machine is busy: two guests waited "
                        + quiet / 1000
                        + " us for each other with nobody beside them");
        assertTrue(beside <= 2 * quiet, kind + ": " + beside + " ns, " + quiet + " when quiet");
    }

    /** A neighbour that takes its part of the processors, and does nothing. */
    private static final class Spinner implements AutoCloseable {
        private volatile boolean stop;
        private final Thread thread = Thread.ofPlatform().start(this::spin);

        private void spin() {
            while (!stop) {
                Thread.onSpinWait();
            }
        }

        @Override
        public void close() {
            stop = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void theHonestDoNotNotice(Kind kind) {
        AtomicBoolean stop = new AtomicBoolean();
        Thread[] thread = new Thread[1];
        int[] steps = new int[1];
        Throwable[] failure = new Throwable[1];
        compare(
                kind.name(),
                2,
                () -> {
                    stop.set(false);
                    thread[0] =
                            Thread.ofPlatform()
                                    .start(() -> {
                                        try {
                                            while (!stop.get()) {
                                                kind.step(this, steps[0]++);
                                                // It has a processor of its own only in part.
                                                LockSupport.parkNanos(100_000);
                                            }
                                        } catch (RuntimeException | AssertionError e) {
                                            failure[0] = e;
                                        }
                                    });
                },
                () -> steps[0] >= LEAST_STEPS,
                () -> {
                    stop.set(true);
                    try {
                        thread[0].join();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
        assertTrue(steps[0] >= LEAST_STEPS, steps[0] + " steps, then " + failure[0]);
    }

    @Test
    void theHonestDoNotNoticeFieldsThatChange() {
        FieldFlipper[] flipper = new FieldFlipper[1];
        compare(
                "FLIPS_FIELDS",
                3,
                () -> flipper[0] = new FieldFlipper(evil.tx, evil.rx, pool.segment(), VA, 3),
                () -> flipper[0].flips() >= LEAST_STEPS,
                () -> flipper[0].close());
    }
}
