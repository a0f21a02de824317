package io.grantwire.vswitch.ring;

import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random states of a ring, from tame to wild so that every depth of the walker is reached, each
 * held against the reference. As a program, for so many seconds: {@code RingStates SECONDS}.
 */
final class RingStates {
    private static final int DESC = 7;

    /** A run of so many seconds or more tries so many states, however slow the machine is. */
    private static final long LONG_SECONDS = 60;

    private static final long LONG_STATES = 10_000_000;

    private final SplittableRandom random;
    private final RingScript script = new RingScript();
    private final RingCheck check = new RingCheck();
    private final byte[] bytes = new byte[2 + RingScript.SIZE + DESC * RingScript.SIZE];

    /** How many states had which verdict. */
    final Map<RejectReason, Long> verdicts = new EnumMap<>(RejectReason.class);

    long states;

    /** How many states were good. */
    long good;

    RingStates(long seed) {
        random = new SplittableRandom(seed);
    }

    /**
     * Tries one state of each kind of ring.
     *
     * @throws AssertionError when the walker and the reference do not agree; the message has the
     *     state
     */
    void next() {
        boolean receive = (states++ & 1) != 0;
        write(receive);
        try {
            script.load(bytes);
            RejectReason verdict = check.run(script, receive);
            if (verdict == null) {
                good++;
            } else {
                verdicts.merge(verdict, 1L, Long::sum);
            }
        } catch (AssertionError e) {
            throw new AssertionError(
                    e.getMessage()
                            + (receive ? ", receive " : ", transmit ")
                            + java.util.HexFormat.of().formatHex(bytes),
                    e);
        }
    }

    private void write(boolean receive) {
        int wildness = random.nextInt(1, 40);
        bytes[0] = (byte) random.nextInt();
        int entries = random.nextInt(RingScript.SIZE + 1);
        bytes[1] = (byte) (rarely(wildness) ? random.nextInt() : entries);
        entries = (bytes[1] & 0xff) % (RingScript.SIZE + 1);
        for (int i = 0; i < entries; i++) {
            bytes[2 + i] =
                    (byte) (rarely(wildness) ? random.nextInt() : random.nextInt(RingScript.SIZE));
        }
        int d = 2 + entries;
        for (int i = 0; i < RingScript.SIZE; i++, d += DESC) {
            int offset = random.nextInt(RingScript.POOL - 600);
            boolean more = random.nextInt(3) == 0;
            // Short ones are for the middle of chains; at an end they make the chain a bad one.
            int length =
                    more && random.nextBoolean() ? random.nextInt(12) : random.nextInt(11, 600);
            bytes[d] = (byte) random.nextInt(3);
            bytes[d + 1] = (byte) offset;
            bytes[d + 2] = (byte) (offset >> 8);
            bytes[d + 3] = (byte) length;
            bytes[d + 4] = (byte) (length >> 8);
            bytes[d + 5] = (byte) ((receive ? 2 : 0) | (more ? 1 : 0));
            bytes[d + 6] = (byte) random.nextInt(RingScript.SIZE);
            if (rarely(wildness)) {
                bytes[d + random.nextInt(DESC)] = (byte) random.nextInt();
            }
        }
    }

    private boolean rarely(int wildness) {
        return random.nextInt(wildness * 16) == 0;
    }

    /** Tries states for some seconds, in a long run enough of them at least; says how many. */
    public static void main(String[] args) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        RingStates rings = new RingStates(seed);
        long seconds = Long.parseLong(args[0]);
        long least = seconds < LONG_SECONDS ? 0 : LONG_STATES;
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (System.nanoTime() < end || rings.states < least) {
            for (int i = 0; i < 1000; i++) {
                rings.next();
            }
        }
        System.out.println("good " + rings.good + ", " + rings.verdicts);
        System.out.println("ring states tried: " + rings.states);
    }
}
