package io.grantwire.tools.testpmd;

import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.eal.EalOptions;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;

/** testpmd's help page: two sets of options with {@code --} between them. */
final class TestpmdHelp {
    private TestpmdHelp() {}

    static boolean wanted(String[] args) {
        List<String> list = Arrays.asList(args);
        return list.contains("--help") || list.contains("-h");
    }

    static CommandLine ealLine(EalOptions options) {
        return named(Cli.lineOf(options));
    }

    static CommandLine ownLine(TestpmdOptions options) {
        return named(Cli.lineOf(options));
    }

    private static CommandLine named(CommandLine line) {
        line.getCommandSpec().name("grantwire testpmd");
        return line;
    }

    static void print(PrintStream out) {
        out.println("Usage: grantwire testpmd [EAL options] -- [options]");
        out.println();
        out.println("The guest's side of the switch, and a tester for any port: forwards frames");
        out.println("between ports, generates them, and shows what happened.");
        out.println();
        out.println("EAL options:");
        out.print(optionList(ealLine(new EalOptions())));
        out.println();
        out.println("Options:");
        out.print(optionList(ownLine(new TestpmdOptions())));
        out.println();
        out.println("Commands: type help at the prompt, or: echo help | grantwire testpmd … -- -i");
        out.println();
        out.println("For instance, the first guest on an emulated host:");
        out.println("  grantwire testpmd --emulated --domid 1 \\");
        out.println("      --vdev eth_xenvirt0,mac=00:00:00:00:00:11 \\");
        out.println("      -- -i --forward-mode=mac --eth-peer=0,00:00:00:00:00:22");
    }

    private static String optionList(CommandLine line) {
        return line.getHelp().optionList();
    }
}
