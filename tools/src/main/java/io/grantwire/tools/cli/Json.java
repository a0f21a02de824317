package io.grantwire.tools.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.Map;

/**
 * Reports for machines. Reports are maps and lists of plain values, so that nothing has to be
 * opened to reflection; this class is touched only when JSON is asked for.
 */
public final class Json {
    private Json() {}

    /** The report over several lines. */
    public static String pretty(Map<String, ?> report) {
        return builder().setPrettyPrinting().create().toJson(report);
    }

    /** The report on one line. */
    public static String line(Map<String, ?> report) {
        return builder().create().toJson(report);
    }

    /**
     * Parses one document.
     *
     * @throws CommandFailure when it is not JSON
     */
    public static JsonElement parse(String text) {
        try {
            return JsonParser.parseString(text);
        } catch (JsonParseException e) {
            throw new CommandFailure("not JSON: " + text, e);
        }
    }

    private static GsonBuilder builder() {
        return new GsonBuilder().disableHtmlEscaping().serializeNulls();
    }

    /** The writer itself, for callers that stream. */
    public static Gson gson() {
        return builder().create();
    }
}
