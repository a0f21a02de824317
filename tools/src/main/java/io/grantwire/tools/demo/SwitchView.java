package io.grantwire.tools.demo;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.grantwire.tools.cli.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The switch's statistics at one moment, as its process reported them. */
final class SwitchView {
    /** Statistics of a switch that never came to be. */
    static final String NOTHING = "{\"devices\":[],\"uplinks\":[],\"workers\":[],\"inputs\":[]}";

    private final JsonObject root;

    SwitchView(String json) {
        this.root = Json.parse(json).getAsJsonObject();
    }

    /** Whether the device with that address gets frames. */
    boolean registered(String mac) {
        JsonObject device = device(mac);
        return device != null && device.get("registered").getAsBoolean();
    }

    /** Frames delivered to the device with that address. */
    long delivered(String mac) {
        return count(device(mac), "rx", "successful");
    }

    /** Frames taken from the device with that address, wherever they went then. */
    long taken(String mac) {
        return count(device(mac), "tx", "total");
    }

    /** Frames that came from the wire. */
    long fromWire() {
        return count(uplink(), "fromWire", "total");
    }

    /** Frames from the wire that a guest got. */
    long fromWireDelivered() {
        return count(uplink(), "fromWire", "successful");
    }

    /** Frames the wire took. */
    long toWire() {
        return count(uplink(), "toWire", "successful");
    }

    /** Frames read from the capture; 0 without one. */
    long inputFrames() {
        JsonObject input = input();
        return input == null ? 0 : input.get("frames").getAsLong();
    }

    /** Whether the capture is used up. */
    boolean inputUsedUp() {
        JsonObject input = input();
        return input != null && input.get("usedUp").getAsBoolean();
    }

    /** Packets of the capture that are no whole Ethernet frames and were passed over. */
    long inputSkipped() {
        JsonObject input = input();
        return input == null ? 0 : input.get("skipped").getAsLong();
    }

    /** What is odd about the capture, one line each. */
    List<String> inputProblems() {
        List<String> problems = new ArrayList<>();
        JsonObject input = input();
        if (input != null) {
            input.getAsJsonArray("problems").forEach(line -> problems.add(line.getAsString()));
        }
        return problems;
    }

    /** Whether the wire has failed. */
    boolean wireFailed() {
        JsonObject uplink = uplink();
        return uplink != null && uplink.get("failed").getAsBoolean();
    }

    /** Frames lost anywhere, by reason. */
    Map<String, Long> drops() {
        return dropsWith(this);
    }

    /** Frames lost: at the guests as of these statistics, elsewhere as of later ones. */
    Map<String, Long> dropsWith(SwitchView later) {
        Map<String, Long> all = new TreeMap<>();
        for (JsonElement device : root.getAsJsonArray("devices")) {
            addDrops(all, device.getAsJsonObject(), "tx");
        }
        later.addElsewhere(all);
        return all;
    }

    private void addElsewhere(Map<String, Long> all) {
        for (JsonElement uplink : root.getAsJsonArray("uplinks")) {
            addDrops(all, uplink.getAsJsonObject(), "fromWire");
            addDrops(all, uplink.getAsJsonObject(), "toWire");
        }
        for (JsonElement worker : root.getAsJsonArray("workers")) {
            merge(all, worker.getAsJsonObject().getAsJsonObject("lost"));
        }
    }

    /** Whether a device broke the rules. */
    boolean quarantined() {
        for (JsonElement device : root.getAsJsonArray("devices")) {
            if (!device.getAsJsonObject().get("state").getAsString().equals("ready")) {
                return true;
            }
        }
        return false;
    }

    private JsonObject device(String mac) {
        for (JsonElement element : root.getAsJsonArray("devices")) {
            if (element.getAsJsonObject().get("mac").getAsString().equals(mac)) {
                return element.getAsJsonObject();
            }
        }
        return null;
    }

    private JsonObject uplink() {
        return first("uplinks");
    }

    private JsonObject input() {
        return first("inputs");
    }

    private JsonObject first(String name) {
        JsonArray all = root.getAsJsonArray(name);
        return all == null || all.isEmpty() ? null : all.get(0).getAsJsonObject();
    }

    private static long count(JsonObject port, String direction, String counter) {
        return port == null ? 0 : port.getAsJsonObject(direction).get(counter).getAsLong();
    }

    private static void addDrops(Map<String, Long> all, JsonObject port, String direction) {
        if (port != null) {
            merge(all, port.getAsJsonObject(direction).getAsJsonObject("drops"));
        }
    }

    private static void merge(Map<String, Long> all, JsonObject drops) {
        for (Map.Entry<String, JsonElement> drop : drops.entrySet()) {
            all.merge(drop.getKey(), drop.getValue().getAsLong(), Long::sum);
        }
    }
}
