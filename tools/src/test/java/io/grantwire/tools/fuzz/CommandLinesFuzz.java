package io.grantwire.tools.fuzz;

import static io.grantwire.tools.fuzz.Lines.check;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.eal.CoreList;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.CommandTable;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.vfio.PciAddress;
import io.grantwire.vswitch.UplinkSpec;
import java.util.List;
import java.util.Set;

/** Whatever is typed, it is understood or refused in a line; nothing else is thrown. */
class CommandLinesFuzz {
    private static final CommandTable TABLE =
            new CommandTable(
                    List.of(
                            rule("start tx_first [<bursts:uint>]"),
                            rule("show port <what:info|stats> <port:port>"),
                            rule("set burst tx delay <us:uint> retry <n:uint>"),
                            rule("set peer <port:uint> <mac:mac>"),
                            rule("set list <list:list>")));

    private static Rule rule(String syntax) {
        return Rule.of("Section", syntax, "Does it.", values -> {});
    }

    @FuzzTest(maxDuration = "60s")
    void anyTestpmdLineIsRunOrRefused(byte[] bytes) {
        String line = Lines.text(bytes);
        try {
            TABLE.run(line);
        } catch (CommandException e) {
            Lines.checkMessage(e);
        }
        Set<String> next = TABLE.completions(List.of(line.split(" ")));
        next.forEach(word -> check(word.indexOf(' ') < 0, "completions of " + line));
    }

    @FuzzTest(maxDuration = "60s")
    void anyListOfCoresIsReadOrRefused(byte[] bytes) {
        String text = Lines.text(bytes);
        for (int form = 0; form < 3; form++) {
            try {
                List<CoreList.Core> cores =
                        switch (form) {
                            case 0 -> CoreList.mask(text);
                            case 1 -> CoreList.list(text);
                            default -> CoreList.map(text);
                        };
                for (CoreList.Core core : cores) {
                    check(core.lcore() >= 0 && core.lcore() < 1024, "lcore " + core);
                }
                check(!cores.isEmpty(), "no core in " + text);
            } catch (UsageException e) {
                Lines.checkMessage(e);
            }
        }
    }

    @FuzzTest(maxDuration = "60s")
    void anyNameOfADeviceIsReadOrRefused(byte[] bytes) {
        String text = Lines.text(bytes);
        try {
            DeviceArgs args = DeviceArgs.parse(text);
            check(!args.name().isEmpty(), "a device without a name");
            for (String key : args.keys()) {
                check(args.get(key) != null, "a key without a value: " + key);
            }
        } catch (IllegalArgumentException e) {
            Lines.checkMessage(e);
        }
        try {
            MacAddress mac = MacAddress.parse(text);
            check(mac.equals(MacAddress.parse(mac.toString())), "written and read again");
        } catch (IllegalArgumentException e) {
            Lines.checkMessage(e);
        }
        PciAddress.find(text)
                .ifPresent(a -> check(a.equals(PciAddress.parse(a.toString())), "address " + a));
        try {
            check(UplinkSpec.parse(text).toString().equals(text), "an uplink by another name");
        } catch (IllegalArgumentException e) {
            Lines.checkMessage(e);
        }
    }
}
