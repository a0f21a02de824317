package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.vswitch.Switch;
import io.grantwire.vswitch.SwitchConfig;
import io.grantwire.vswitch.SwitchStats;
import io.grantwire.vswitch.SwitchStats.DeviceStats;
import io.grantwire.vswitch.UplinkSpec;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** An emulated host, and the whole switch with one worker. */
final class SwitchSide implements Side {
    private final PeerOptions options;
    private final EmulatedHost host;
    private final Domain domain;
    private final Switch vswitch;
    private final LoadWire wire;
    private final BusyMeter busy = new BusyMeter();

    SwitchSide(PeerOptions options) {
        this.options = options;
        host = EmulatedHost.start(options.dir);
        domain = Domains.open(DomainOptions.emulatedControl(options.dir));
        wire =
                options.scale
                        ? new LoadWire(options.sizes().cycle().getFirst(), options.load)
                        : null;
        UplinkSpec uplink =
                wire == null ? UplinkSpec.parse("null") : UplinkSpec.of("load", d -> wire);
        vswitch =
                Switch.start(
                        SwitchConfig.builder()
                                .uplink(uplink)
                                .lcores(List.of(new SwitchConfig.WorkerLcore(-1, options.cpu)))
                                .rxCoalesce(coalesce(options))
                                .memory(MemorySource.hugePagesOrPlain())
                                .idle(options.load > 0 ? () -> busy : options::idle)
                                .build(),
                        domain);
    }

    private static Duration coalesce(PeerOptions options) {
        return options.rxUsecs == null
                ? SwitchConfig.RX_COALESCE
                : Duration.of(options.rxUsecs, ChronoUnit.MICROS);
    }

    @Override
    public boolean connected() {
        List<DeviceStats> devices = vswitch.stats().devices();
        return devices.size() == options.guests
                && devices.stream().allMatch(DeviceStats::registered);
    }

    @Override
    public void start() {
        // The worker polls already; what a wire sends, begins now.
        if (wire != null) {
            List<DeviceStats> devices =
                    vswitch.stats().devices().stream()
                            .filter(d -> d.domid() <= options.busyGuests())
                            .toList();
            wire.send(
                    devices.stream().map(DeviceStats::mac).toList(),
                    devices.stream().map(DeviceStats::vlan).toList());
        }
    }

    @Override
    public long frames() {
        SwitchStats stats = vswitch.stats();
        return stats.devices().stream().mapToLong(d -> d.rx().successful()).sum();
    }

    @Override
    public long firstNanos() {
        return 0;
    }

    @Override
    public long takeWorstGap() {
        return 0;
    }

    @Override
    public long busyNanos() {
        return busy.nanos();
    }

    @Override
    public Throwable failure() {
        SwitchStats stats = vswitch.stats();
        if (stats.workers().stream().allMatch(SwitchStats.WorkerStats::running)) {
            return null;
        }
        return new CommandFailure("the switch's worker has ended");
    }

    @Override
    public void close() {
        vswitch.close();
        domain.close();
        host.close();
    }
}
