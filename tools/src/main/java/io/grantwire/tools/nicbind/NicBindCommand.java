package io.grantwire.tools.nicbind;

import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Json;
import io.grantwire.vfio.bind.BindStep;
import io.grantwire.vfio.bind.DeviceStatus;
import io.grantwire.vfio.bind.DeviceSurvey;
import io.grantwire.vfio.bind.HostTree;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code nic-bind}: which driver has which PCI device, and moving devices between them. */
public final class NicBindCommand implements Command {
    @Override
    public int run(String[] args, Context context) {
        NicBindOptions options = new NicBindOptions();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        options.check();
        HostTree tree = options.tree();
        Map<String, Object> report = new LinkedHashMap<>();
        boolean bad = false;
        if (options.changes()) {
            Mover mover = new Mover(options, tree, context.err());
            List<Outcome> outcomes = mover.move();
            bad = outcomes.stream().anyMatch(Outcome::bad);
            if (options.json) {
                report.put(
                        "preparation",
                        mover.preparation().stream().map(BindStep::command).toList());
                report.put("moved", outcomes.stream().map(Outcome::toMap).toList());
            } else if (options.dryRun) {
                printPlan(options, mover.preparation(), outcomes, context.out());
            }
        }
        if (options.shows()) {
            List<DeviceStatus> devices = DeviceSurvey.of(tree);
            if (options.json) {
                report.put("devices", StatusReport.of(options.categories(), devices));
            } else {
                context.out().print(StatusLayout.text(options.categories(), devices));
            }
        }
        if (options.json) {
            context.out().println(Json.pretty(report));
        }
        context.out().flush();
        return bad ? ExitStatus.FAILED : ExitStatus.OK;
    }

    /** The plan as shell commands, which do the same when root types them. */
    private static void printPlan(
            NicBindOptions options,
            List<BindStep> preparation,
            List<Outcome> outcomes,
            PrintStream out) {
        preparation.forEach(step -> out.println(step.command()));
        for (Outcome outcome : outcomes) {
            if (outcome.result() != Outcome.Result.PLANNED) {
                continue;
            }
            out.printf(
                    "# %s: %s -> %s%n",
                    outcome.address(),
                    outcome.from().orElse("no driver"),
                    outcome.to().orElse("no driver"));
            outcome.steps().forEach(step -> out.println(step.command()));
            if (options.user != null || options.group != null) {
                out.printf(
                        "# then chown %s%s on its node in %s%n",
                        options.user == null ? "" : options.user,
                        options.group == null ? "" : ":" + options.group,
                        options.tree().dev().resolve("vfio"));
            }
        }
    }
}
