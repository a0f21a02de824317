package io.grantwire.tools.vswitch;

import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code switch ctl}: asks a running switch something. */
final class CtlCommand implements Command {
    @picocli.CommandLine.Command(
            name = "grantwire switch ctl",
            sortOptions = false,
            description = "Ask a running switch:",
            footer = {
                "",
                "  status       the statistics screen, quarantined and refused devices with the reason",
                "  release N    serve the quarantined device number N again"
            })
    private static final class Options {
        @Parameters(paramLabel = "REQUEST", description = "status, or release N.")
        List<String> words = new ArrayList<>();

        @Option(
                names = "--dir",
                paramLabel = "DIR",
                description = "The directory of the emulated host that the switch serves.")
        Path dir;

        @Option(
                names = "--socket",
                paramLabel = "SOCKET",
                description = "What the switch was given with --ctl.")
        Path socket;

        @Option(names = "--json", description = "The status as JSON.")
        boolean json;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this page.")
        boolean help;

        Path place() {
            if (socket != null) {
                return socket;
            }
            return dir != null ? CtlSocket.in(dir) : CtlSocket.usual();
        }

        CtlRequest request() {
            String line = String.join(" ", words);
            try {
                return CtlRequest.parse(json && line.equals("status") ? "status json" : line);
            } catch (IllegalArgumentException e) {
                throw new UsageException(e.getMessage());
            }
        }
    }

    @Override
    public int run(String[] args, Context context) {
        Options options = new Options();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        CtlRequest request = options.request();
        String answer = ask(options.place(), request);
        int end = answer.indexOf('\n');
        String verdict = end < 0 ? answer : answer.substring(0, end);
        if (!verdict.equals("ok")) {
            throw new CommandFailure(
                    verdict.startsWith("error ")
                            ? verdict.substring("error ".length())
                            : "the switch gave no answer; is it busy with others? Try again");
        }
        context.out().print(answer.substring(end + 1));
        context.out().flush();
        return ExitStatus.OK;
    }

    private static String ask(Path socket, CtlRequest request) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.write(
                    ByteBuffer.wrap((request.line() + "\n").getBytes(StandardCharsets.UTF_8)));
            return new String(
                    Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CommandFailure(
                    "no switch answers at "
                            + socket
                            + " ("
                            + e.getMessage()
                            + "); name the directory of its host with --dir",
                    e);
        }
    }
}
