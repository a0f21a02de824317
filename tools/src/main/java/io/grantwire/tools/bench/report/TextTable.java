package io.grantwire.tools.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Rows of values in columns: numbers to the right, words to the left. */
final class TextTable {
    private TextTable() {}

    static String of(List<Report.Column> columns, List<Map<String, Object>> rows) {
        List<List<String>> cells = new ArrayList<>();
        int[] widths = new int[columns.size()];
        boolean[] numbers = new boolean[columns.size()];
        for (int c = 0; c < widths.length; c++) {
            String key = columns.get(c).key();
            widths[c] = columns.get(c).title().length();
            numbers[c] = rows.stream().anyMatch(row -> row.get(key) instanceof Number);
        }
        for (Map<String, Object> row : rows) {
            List<String> line = new ArrayList<>();
            for (int c = 0; c < widths.length; c++) {
                line.add(cell(columns.get(c), row.get(columns.get(c).key())));
                widths[c] = Math.max(widths[c], line.get(c).length());
            }
            cells.add(line);
        }
        StringBuilder text = new StringBuilder();
        append(text, columns.stream().map(Report.Column::title).toList(), widths, numbers);
        cells.forEach(line -> append(text, line, widths, numbers));
        return text.toString();
    }

    private static String cell(Report.Column column, Object value) {
        if (value == null) {
            return "";
        }
        if (value instanceof Number n && !column.format().isEmpty()) {
            return String.format(Locale.ROOT, column.format(), n.doubleValue());
        }
        return value.toString();
    }

    private static void append(
            StringBuilder text, List<String> line, int[] widths, boolean[] numbers) {
        StringBuilder row = new StringBuilder();
        for (int c = 0; c < widths.length; c++) {
            String cell = line.get(c);
            String blanks = " ".repeat(widths[c] - cell.length());
            row.append(c == 0 ? "" : "  ").append(numbers[c] ? blanks + cell : cell + blanks);
        }
        text.append(row.toString().stripTrailing()).append('\n');
    }
}
