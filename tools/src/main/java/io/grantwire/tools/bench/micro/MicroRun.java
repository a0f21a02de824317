package io.grantwire.tools.bench.micro;

import com.google.gson.JsonObject;
import io.grantwire.tools.Main;
import io.grantwire.tools.bench.Spread;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Json;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.process.Child;
import io.grantwire.tools.process.SelfLauncher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;

/** Runs {@link MicroCommand} in a process. */
public final class MicroRun {
    private static final long LOOK_MILLIS = 5;
    private static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final Duration END = Duration.ofSeconds(5);

    private MicroRun() {}

    /** Nanoseconds, median and extremes of the rounds. */
    public static Spread run(StopRequest stop, String... args) throws InterruptedException {
        List<String> all = new ArrayList<>(List.of("bench-micro"));
        all.addAll(Arrays.asList(args));
        AtomicReference<String> result = new AtomicReference<>();
        Child child =
                Child.start(
                        String.join(" ", all),
                        SelfLauncher.find(Main.class.getName()).command(all),
                        line -> {
                            if (line.startsWith("{")) {
                                result.set(line);
                            }
                        });
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (child.alive() && System.nanoTime() - deadline < 0 && !stop.requested()) {
            Thread.sleep(LOOK_MILLIS);
        }
        boolean over = !child.alive();
        int status = child.awaitEnd(over ? END : Duration.ofMillis(1));
        if (stop.requested()) {
            throw new CancellationException("interrupted");
        }
        if (status != 0 || result.get() == null) {
            throw over ? child.failure() : new CommandFailure(child.name() + " does not end");
        }
        JsonObject o = Json.parse(result.get()).getAsJsonObject();
        return new Spread(
                o.get("nanos").getAsDouble(),
                o.get("nanos_min").getAsDouble(),
                o.get("nanos_max").getAsDouble(),
                1);
    }
}
