package io.grantwire.tools.vswitch;

import io.grantwire.pmd.driver.pcap.PcapDevice;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.vswitch.UplinkSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** The uplinks asked for, and what can be told about the files that some of them read. */
final class Uplinks {
    private record Capture(String spec, PcapDevice device) {}

    private final List<UplinkSpec> specs = new ArrayList<>();
    private final List<Capture> captures = new CopyOnWriteArrayList<>();

    private Uplinks() {}

    /**
     * Reads the specifications.
     *
     * @param retarget {@code MAC/VLAN} that captures' frames are readdressed to, or null
     */
    static Uplinks parse(List<String> texts, String retarget) {
        Uplinks uplinks = new Uplinks();
        for (String text : texts.isEmpty() ? List.of("null") : texts) {
            uplinks.add(UplinkSpec.parse(text), retarget);
        }
        return uplinks;
    }

    private void add(UplinkSpec spec, String retarget) {
        if (!spec.toString().startsWith("pcap:")) {
            specs.add(spec);
            return;
        }
        int slash = retarget == null ? -1 : retarget.indexOf('/');
        if (retarget != null && slash < 0) {
            throw new UsageException("Invalid argument for retarget: " + retarget);
        }
        specs.add(
                UplinkSpec.of(
                        spec.toString(),
                        domain -> {
                            EthDevice device = spec.open(domain);
                            if (device instanceof PcapDevice capture) {
                                captures.add(new Capture(spec.toString(), capture));
                            }
                            return retarget == null
                                    ? device
                                    : new RetargetingDevice(
                                            device,
                                            MacAddress.parse(retarget.substring(0, slash)).value(),
                                            Integer.parseInt(retarget.substring(slash + 1)));
                        }));
    }

    List<UplinkSpec> specs() {
        return specs;
    }

    /** For each capture: how many frames were read of it, and whether it is used up. */
    List<Map<String, Object>> inputs() {
        List<Map<String, Object>> all = new ArrayList<>();
        for (Capture capture : captures) {
            PcapDevice device = capture.device();
            Map<String, Object> one = new LinkedHashMap<>();
            boolean usedUp = device.inputFinished();
            EthStats stats = device.stats();
            one.put("spec", capture.spec());
            one.put("usedUp", usedUp);
            one.put("frames", stats.ipackets());
            one.put("skipped", stats.ierrors());
            one.put("problems", device.inputProblems());
            all.add(one);
        }
        return all;
    }

    /**
     * Looks whether captures are read and written as they should.
     *
     * @throws CommandFailure when one is not
     */
    void check() {
        for (Capture capture : captures) {
            String error = capture.device().ioError().orElse(null);
            if (error != null) {
                throw new CommandFailure("uplink " + capture.spec() + ": " + error);
            }
        }
    }
}
