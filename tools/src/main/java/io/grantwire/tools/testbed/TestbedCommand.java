package io.grantwire.tools.testbed;

import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code testbed}: real Xen, or network cards behind an IOMMU, in QEMU by software emulation. The
 * work is done by the scripts of the bed, which lie in the source tree; this class finds and runs
 * them.
 */
public final class TestbedCommand implements Command {
    private static final List<String> BEDS = List.of("xen", "nic");
    private static final long LOOK_MILLIS = 200;

    /** How long scripts may take to end the machines they started. */
    private static final long END_SECONDS = 20;

    @picocli.CommandLine.Command(
            name = "grantwire testbed",
            sortOptions = false,
            description =
                    "Run Grantwire on real Xen, or on network cards behind an IOMMU, in machines that"
                            + " QEMU emulates in software, all from Debian packages.",
            footer = {
                "",
                "  grantwire testbed xen check           whether this machine has what it takes",
                "  grantwire testbed xen build           make or renew the images",
                "  grantwire testbed xen run e2e         frames through the switch and two guests",
                "  grantwire testbed xen run contract    grants, event channels, the store",
                "  grantwire testbed xen run lifecycle   ends of guests, of the switch, of domains",
                "  grantwire testbed xen run badkeys     a guest that writes garbage in its keys",
                "  grantwire testbed xen run doctor      what doctor says in domain 0 and a guest",
                "  grantwire testbed xen shell           a console in domain 0",
                "  grantwire testbed nic run hello       boots, and sees the cards",
                "  grantwire testbed nic run all         all jobs of this bed, one after the other",
                "  grantwire testbed nic run igb-vfio    frames through a card and its driver",
                "  grantwire testbed nic shell           a console in the machine with the cards"
            })
    private static final class Options {
        @Parameters(index = "0", arity = "0..1", paramLabel = "BED", description = "xen or nic.")
        String bed;

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "ACTION",
                description = "check, build, run or shell.")
        String action;

        @Parameters(
                index = "2",
                arity = "0..1",
                paramLabel = "JOB",
                description = "What to run inside.")
        String job;

        @Option(
                names = "--xen",
                paramLabel = "VERSION",
                description = "4.17, Debian 12's, or 4.20, Debian 13's (default: 4.17).")
        String version;

        @Option(
                names = "--out",
                paramLabel = "DIR",
                description =
                        "Where logs and results go; emptied first (default: below .grantwire).")
        Path out;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                description = "How long a job may take (default: 1800 on xen, 900 on nic).")
        Integer timeout;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this page.")
        boolean help;

        /** The script and its words. */
        List<String> command() {
            if (bed == null || action == null) {
                throw new UsageException(
                        "Say what to do: grantwire testbed xen|nic check|build|run|shell");
            }
            if (!BEDS.contains(bed)) {
                throw new UsageException(
                        "No such test bed: " + bed + "; there are " + String.join(", ", BEDS));
            }
            if (version != null && !bed.equals("xen")) {
                throw new UsageException("--xen is for the bed of that name");
            }
            boolean run = action.equals("run");
            if (run == (job == null)) {
                throw new UsageException(
                        run
                                ? "Say which job: grantwire testbed " + bed + " run JOB"
                                : "Nothing goes behind " + action + ": " + job);
            }
            if (timeout != null && timeout < 1) {
                throw new UsageException("--timeout must be 1 or more");
            }
            return switch (action) {
                case "check" -> List.of("build.sh", "check");
                case "build" -> List.of("build.sh");
                case "run" -> List.of("run.sh", job);
                case "shell" -> List.of("run.sh", "shell");
                default ->
                        throw new UsageException(
                                "Unknown action '" + action + "': check, build, run, shell");
            };
        }
    }

    @Override
    public int run(String[] args, Context context) throws IOException, InterruptedException {
        Options options = new Options();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        List<String> words = options.command();
        Path scripts = find(options.bed);
        List<String> command = new ArrayList<>();
        command.add("bash");
        command.add(scripts.resolve(words.getFirst()).toString());
        command.addAll(words.subList(1, words.size()));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        Map<String, String> environment = builder.environment();
        String bed = options.bed.toUpperCase(Locale.ROOT) + "_BED_";
        environment.put(bed + "JAVA", System.getProperty("java.home"));
        if (options.version != null) {
            environment.put(bed + "VERSION", options.version);
        }
        if (options.out != null) {
            environment.put(bed + "OUT", options.out.toAbsolutePath().toString());
        }
        if (options.timeout != null) {
            environment.put(bed + "TIMEOUT", options.timeout.toString());
        }
        context.out().flush();
        return await(builder.start(), context);
    }

    private static int await(Process process, Context context) throws InterruptedException {
        while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            if (context.stop().requested()) {
                process.destroy();
                if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
                return ExitStatus.INTERRUPTED;
            }
        }
        int status = process.exitValue();
        return status == ExitStatus.OK || status == ExitStatus.USAGE ? status : ExitStatus.FAILED;
    }

    /** The scripts' directory, found from where this class was loaded. */
    private static Path find(String bed) {
        try {
            URI here =
                    TestbedCommand.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI();
            for (Path dir = Path.of(here); dir != null; dir = dir.getParent()) {
                Path scripts = dir.resolve("testbed").resolve(bed);
                if (Files.isRegularFile(scripts.resolve("run.sh"))) {
                    return scripts;
                }
            }
        } catch (URISyntaxException e) {
            throw new CommandFailure("cannot tell where this program lies", e);
        }
        throw new CommandFailure(
                "the test beds are part of the source tree; run ./grantwire in a clone of it");
    }
}
