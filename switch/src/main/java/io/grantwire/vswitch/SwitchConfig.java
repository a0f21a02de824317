package io.grantwire.vswitch;

import io.grantwire.pmd.lcore.IdleStrategy;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.vswitch.forward.Topology;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * How a {@link Switch} is to run. Immutable; made by {@link #builder}.
 *
 * @param uplinks at least one; guests' frames leave through the one that their device's number
 *     selects
 * @param lcores one worker for each
 * @param vm2vm whether frames go from guest to guest; otherwise all go to the wire
 * @param flood whether frames to group addresses reach guests: those from a guest all others, those
 *     from the wire the guest in their VLAN
 * @param vlanStrip whether the VLAN tag is taken off frames for guests
 * @param wireTag what frames for the wire are tagged with; a frame that the guest tagged itself
 *     keeps its tag and gets this one in front of it
 * @param rxRetry how long a frame waits for a destination that makes no progress before it is
 *     dropped, zero for not at all; null for {@link #LOSSLESS_RETRY} when an uplink is lossless and
 *     zero otherwise
 * @param rxCoalesce how long frames from a busy wire may wait for more while eight guests or more
 *     of a worker get some, so that each gets several at once; zero for not at all
 * @param maxDevices most devices at once, 1 to 3095
 * @param maxDevicesPerGuest most devices of one guest, 1 to 32
 * @param maxPagesPerGuest most pages of one guest's mempools together
 * @param maxFrame longest frame from a guest, in bytes
 * @param mbufs frames that the switch itself can hold, beside those in the rings of its uplinks and
 *     in the caches of its workers
 * @param memory where they are
 * @param flagPoll how often to look whether guests live
 * @param uplinkAfterDevices uplinks are read only when this many devices have been there at once,
 *     so that a capture file is not played to nobody
 * @param vmdq whether cards with VMDq pools sort frames from the wire; otherwise all is sorted in
 *     software
 * @param macs which guest may have which addresses
 * @param idle what workers do when there is nothing to do
 */
public record SwitchConfig(
        List<UplinkSpec> uplinks,
        List<WorkerLcore> lcores,
        boolean vm2vm,
        boolean flood,
        boolean vlanStrip,
        WireTag wireTag,
        Duration rxRetry,
        Duration rxCoalesce,
        int maxDevices,
        int maxDevicesPerGuest,
        int maxPagesPerGuest,
        int maxFrame,
        int mbufs,
        MemorySource memory,
        Duration flagPoll,
        int uplinkAfterDevices,
        boolean vmdq,
        MacRules macs,
        Supplier<IdleStrategy> idle) {

    /** {@link #rxRetry} of a switch with a lossless uplink. */
    public static final Duration LOSSLESS_RETRY = Duration.ofSeconds(10);

    /** {@link #rxCoalesce} where nothing else is said. */
    public static final Duration RX_COALESCE = Duration.of(100, ChronoUnit.MICROS);

    /** The longest {@link #rxCoalesce}: a card's ring is soon full. */
    public static final Duration MAX_RX_COALESCE = Duration.ofMillis(1);

    /**
     * A worker's thread.
     *
     * @param lcore its lcore id, or -1 for the lowest free one from 1 on
     * @param cpu the CPU it is pinned to, or -1 for none
     */
    public record WorkerLcore(int lcore, int cpu) {
        /** Any id, not pinned. */
        public static final WorkerLcore ANY = new WorkerLcore(-1, -1);
    }

    /** Checks every value. */
    public SwitchConfig {
        uplinks = List.copyOf(uplinks);
        lcores = List.copyOf(lcores);
        check("uplinks", uplinks.size(), 1, 64);
        check("lcores", lcores.size(), 1, 64);
        check("max devices", maxDevices, 1, Topology.MAX_DEVICES);
        check("max devices per guest", maxDevicesPerGuest, 1, 32);
        check("max pages per guest", maxPagesPerGuest, 1, Integer.MAX_VALUE);
        check("max frame", maxFrame, 64, 65_535);
        check("mbufs", mbufs, 256, 1 << 23);
        check("uplink after devices", uplinkAfterDevices, 0, maxDevices);
        if (flagPoll.isNegative() || flagPoll.isZero()) {
            throw new IllegalArgumentException("flag poll: " + flagPoll + " is no time");
        }
        if (rxRetry != null && rxRetry.isNegative()) {
            throw new IllegalArgumentException("rx retry: " + rxRetry + " is negative");
        }
        if (rxCoalesce.isNegative() || rxCoalesce.compareTo(MAX_RX_COALESCE) > 0) {
            throw new IllegalArgumentException(
                    "rx coalesce: " + rxCoalesce + " is not in 0 to " + MAX_RX_COALESCE);
        }
    }

    private static void check(String what, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    what + ": " + value + " is not in " + min + " to " + max);
        }
    }

    /** The usual configuration: one worker and nothing else out of the ordinary; no uplink yet. */
    public static Builder builder() {
        return new Builder();
    }

    /** How long frames wait, given whether an uplink is lossless. */
    Duration holdTime(boolean lossless) {
        if (rxRetry != null) {
            return rxRetry;
        }
        return lossless ? LOSSLESS_RETRY : Duration.ZERO;
    }

    /** Collects what differs from the usual; each method is named after what it sets. */
    public static final class Builder {
        private final List<UplinkSpec> uplinks = new ArrayList<>();
        private List<WorkerLcore> lcores = List.of(WorkerLcore.ANY);
        private boolean vm2vm = true;
        private boolean flood;
        private boolean vlanStrip = true;
        private WireTag wireTag = WireTag.VLAN;
        private Duration rxRetry;
        private Duration rxCoalesce = RX_COALESCE;
        private int maxDevices = 64;
        private int maxDevicesPerGuest = 32;
        private int maxPagesPerGuest = 131_072;
        private int maxFrame = 9216;
        private int mbufs = 16_384;
        private MemorySource memory = MemorySource.plain();
        private Duration flagPoll = Duration.ofMillis(1);
        private int uplinkAfterDevices;
        private boolean vmdq = true;
        private MacRules macs = MacRules.NONE;
        private Supplier<IdleStrategy> idle = IdleStrategy.Backoff::new;

        private Builder() {}

        /** Adds an uplink. */
        public Builder uplink(UplinkSpec value) {
            uplinks.add(value);
            return this;
        }

        /** See {@link SwitchConfig#lcores}. */
        public Builder lcores(List<WorkerLcore> value) {
            lcores = value;
            return this;
        }

        /** See {@link SwitchConfig#vm2vm}. */
        public Builder vm2vm(boolean value) {
            vm2vm = value;
            return this;
        }

        /** See {@link SwitchConfig#flood}. */
        public Builder flood(boolean value) {
            flood = value;
            return this;
        }

        /** See {@link SwitchConfig#vlanStrip}. */
        public Builder vlanStrip(boolean value) {
            vlanStrip = value;
            return this;
        }

        /** See {@link SwitchConfig#wireTag}. */
        public Builder wireTag(WireTag value) {
            wireTag = value;
            return this;
        }

        /** See {@link SwitchConfig#rxRetry}. */
        public Builder rxRetry(Duration value) {
            rxRetry = value;
            return this;
        }

        /** See {@link SwitchConfig#rxCoalesce}. */
        public Builder rxCoalesce(Duration value) {
            rxCoalesce = value;
            return this;
        }

        /** See {@link SwitchConfig#maxDevices}. */
        public Builder maxDevices(int value) {
            maxDevices = value;
            return this;
        }

        /** See {@link SwitchConfig#maxDevicesPerGuest}. */
        public Builder maxDevicesPerGuest(int value) {
            maxDevicesPerGuest = value;
            return this;
        }

        /** See {@link SwitchConfig#maxPagesPerGuest}. */
        public Builder maxPagesPerGuest(int value) {
            maxPagesPerGuest = value;
            return this;
        }

        /** See {@link SwitchConfig#maxFrame}. */
        public Builder maxFrame(int value) {
            maxFrame = value;
            return this;
        }

        /** See {@link SwitchConfig#mbufs}. */
        public Builder mbufs(int value) {
            mbufs = value;
            return this;
        }

        /** See {@link SwitchConfig#memory}. */
        public Builder memory(MemorySource value) {
            memory = value;
            return this;
        }

        /** See {@link SwitchConfig#flagPoll}. */
        public Builder flagPoll(Duration value) {
            flagPoll = value;
            return this;
        }

        /** See {@link SwitchConfig#uplinkAfterDevices}. */
        public Builder uplinkAfterDevices(int value) {
            uplinkAfterDevices = value;
            return this;
        }

        /** See {@link SwitchConfig#vmdq}. */
        public Builder vmdq(boolean value) {
            vmdq = value;
            return this;
        }

        /** See {@link SwitchConfig#macs}. */
        public Builder macs(MacRules value) {
            macs = value;
            return this;
        }

        /** See {@link SwitchConfig#idle}. */
        public Builder idle(Supplier<IdleStrategy> value) {
            idle = value;
            return this;
        }

        /**
         * The configuration.
         *
         * @throws IllegalArgumentException when a value is out of its range, or no uplink was added
         */
        public SwitchConfig build() {
            return new SwitchConfig(
                    uplinks,
                    lcores,
                    vm2vm,
                    flood,
                    vlanStrip,
                    wireTag,
                    rxRetry,
                    rxCoalesce,
                    maxDevices,
                    maxDevicesPerGuest,
                    maxPagesPerGuest,
                    maxFrame,
                    mbufs,
                    memory,
                    flagPoll,
                    uplinkAfterDevices,
                    vmdq,
                    macs,
                    idle);
        }
    }
}
