package io.grantwire.tools.vswitch;

import static io.grantwire.tools.fuzz.Lines.check;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.fuzz.Lines;
import java.util.List;

/**
 * Whatever is typed at the switch, or sent to its control channel, is taken or refused in a line.
 */
class SwitchLinesFuzz {
    @FuzzTest(maxDuration = "60s")
    void anyOptionsAreTakenOrRefused(byte[] bytes) {
        SwitchOptions options = new SwitchOptions();
        try {
            Cli.parse(Cli.lineOf(options), Lines.words(bytes));
            options.statsSeconds();
            options.config(Uplinks.parse(options.uplinks, options.retarget).specs());
        } catch (UsageException | IllegalArgumentException e) {
            Lines.checkMessage(e);
        }
    }

    @FuzzTest(maxDuration = "60s")
    void anyRequestIsUnderstoodOrRefused(byte[] bytes) {
        try {
            CtlRequest request = CtlRequest.parse(Lines.text(bytes));
            check(request.equals(CtlRequest.parse(request.line())), "written and read again");
            check(List.of("status", "release").contains(request.line().split(" ")[0]), "what");
        } catch (IllegalArgumentException e) {
            Lines.checkMessage(e);
        }
    }
}
