package io.grantwire.tools.cli;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Records as maps, for reports: through their public accessors, so that the packages they live in
 * need not be opened to anybody.
 */
public final class RecordMaps {
    private RecordMaps() {}

    /** A record as a map in the order of its components; records inside likewise. */
    public static Map<String, Object> of(Record record) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            try {
                map.put(component.getName(), plain(component.getAccessor().invoke(record)));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(
                        "cannot report " + record.getClass().getSimpleName(), e);
            }
        }
        return map;
    }

    private static Object plain(Object value) {
        return switch (value) {
            case Record record -> of(record);
            case List<?> list -> {
                List<Object> plain = new ArrayList<>();
                list.forEach(element -> plain.add(plain(element)));
                yield plain;
            }
            case Map<?, ?> map -> {
                Map<String, Object> plain = new LinkedHashMap<>();
                map.forEach((key, element) -> plain.put(key.toString(), plain(element)));
                yield plain;
            }
            case null, default -> value;
        };
    }
}
