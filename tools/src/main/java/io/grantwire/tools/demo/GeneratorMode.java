package io.grantwire.tools.demo;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.grantwire.tools.cli.Json;
import io.grantwire.tools.process.Child;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Frames come from a generator, a process whose xenvirt device is the switch's wire. It stamps what
 * it sends and checks what comes back.
 */
final class GeneratorMode implements Mode {
    private final DemoOptions options;
    private Child generator;
    private volatile String lastLine = "{}";

    GeneratorMode(DemoOptions options) {
        this.options = options;
    }

    @Override
    public List<String> switchOptions() {
        return List.of("--uplink", "xenvirt:" + Topology.WIRE_DOMID, "--rx-retry", "10000");
    }

    @Override
    public void prepare(Stage stage) {
        List<String> args = new ArrayList<>();
        args.addAll(List.of("generator", "--dir", stage.files().dir().toString()));
        args.addAll(List.of("--size", Integer.toString(options.size())));
        args.addAll(List.of("--vlan", Integer.toString(options.vlan())));
        args.addAll(List.of("--millis", Long.toString(options.generateMillis())));
        args.addAll(
                List.of("--frames", Long.toString(options.frames == null ? 0 : options.frames)));
        if (options.vm2vm.equals("0")) {
            // VM1's frames go to the wire at once, from it and to VM2's address.
            args.add("--one-hop");
        }
        generator = stage.start("generator", args, line -> lastLine = line);
    }

    @Override
    public void begin(Stage stage) {
        generator.tell("go");
    }

    @Override
    public boolean finished(SwitchView now) {
        return result().has("finished");
    }

    private JsonObject result() {
        return Json.parse(lastLine).getAsJsonObject();
    }

    @Override
    public double seconds() {
        JsonObject result = result();
        return result.has("seconds") ? result.get("seconds").getAsDouble() : 0;
    }

    @Override
    public Map<String, Long> latencyNanos() {
        Map<String, Long> latency = new LinkedHashMap<>();
        JsonObject result = result();
        if (result.has("latencyNanos")) {
            for (Map.Entry<String, JsonElement> entry :
                    result.getAsJsonObject("latencyNanos").entrySet()) {
                latency.put(entry.getKey(), entry.getValue().getAsLong());
            }
        }
        return latency;
    }

    @Override
    public String problem(SwitchView last) {
        JsonObject result = result();
        if (!result.has("sent")) {
            return "the generator sent nothing";
        }
        List<String> wrong = new ArrayList<>();
        for (String counter : List.of("lost", "corrupt", "disordered", "foreign")) {
            long n = result.get(counter).getAsLong();
            if (n > 0) {
                wrong.add(n + " " + (counter.equals("foreign") ? "wrongly addressed" : counter));
            }
        }
        if (wrong.isEmpty()) {
            return null;
        }
        Map<String, Long> drops = last.drops();
        return "of "
                + result.get("sent").getAsLong()
                + " frames sent: "
                + String.join(", ", wrong)
                + (drops.isEmpty() ? "" : "; the switch dropped " + drops);
    }
}
