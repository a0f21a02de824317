package io.grantwire.tools.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A chart of upright bars in groups, as SVG 1.1: a group for each label, a bar in it for each
 * series. Meant to be read without anything else, so what the figures depend on stands below it.
 */
public final class BarChart {
    private static final String[] COLOURS = {
        "#2a6f97", "#e07a1f", "#5a9e6f", "#8d5a97", "#b23a48", "#6c757d"
    };
    private static final int WIDTH = 900;
    private static final int PLOT_HEIGHT = 300;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int TOP = 70;
    private static final int LABELS = 45;
    private static final int LINE = 14;
    private static final int TICKS = 5;
    private static final int WRAP = 135;

    private final String title;
    private final String unit;
    private final List<String> labels = new ArrayList<>();
    private final Map<String, Map<String, Double>> series = new LinkedHashMap<>();

    /**
     * @param title above the chart
     * @param unit of the values, beside the axis
     */
    public BarChart(String title, String unit) {
        this.title = title;
        this.unit = unit;
    }

    /** Adds a bar; the first use of a label or a series decides their order. */
    public BarChart bar(String label, String name, double value) {
        if (!labels.contains(label)) {
            labels.add(label);
        }
        series.computeIfAbsent(name, n -> new LinkedHashMap<>()).put(label, value);
        return this;
    }

    /**
     * The chart.
     *
     * @param footer lines below it
     */
    public String svg(List<String> footer) {
        List<String> lines = footer.stream().flatMap(l -> wrap(l).stream()).toList();
        int height = TOP + PLOT_HEIGHT + LABELS + LINE * (lines.size() + 1);
        double top = axisTop(max());
        StringBuilder svg = new StringBuilder();
        svg.append(
                format(
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                                + " viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                                + " font-size=\"12\">\n",
                        WIDTH, height, WIDTH, height));
        svg.append(format("<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", WIDTH, height));
        text(svg, LEFT, 24, "start", "font-size=\"16\" font-weight=\"bold\"", title);
        legend(svg);
        axis(svg, top);
        bars(svg, top);
        for (int i = 0; i < lines.size(); i++) {
            int y = TOP + PLOT_HEIGHT + LABELS + LINE * (i + 1);
            text(svg, LEFT, y, "start", "font-size=\"10\" fill=\"#555\"", lines.get(i));
        }
        return svg.append("</svg>\n").toString();
    }

    private double max() {
        return series.values().stream()
                .flatMap(bars -> bars.values().stream())
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
    }

    /** The least of 1, 2, 2.5 or 5 times a power of ten that is not below. */
    static double axisTop(double max) {
        if (max <= 0) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(max)));
        for (double step : new double[] {1, 2, 2.5, 5}) {
            if (step * power >= max) {
                return step * power;
            }
        }
        return 10 * power;
    }

    private void legend(StringBuilder svg) {
        int x = LEFT;
        int i = 0;
        for (String name : series.keySet()) {
            svg.append(
                    format(
                            "<rect x=\"%d\" y=\"38\" width=\"12\" height=\"12\" fill=\"%s\"/>\n",
                            x, colour(i++)));
            text(svg, x + 17, 48, "start", "", name);
            x += 40 + 7 * name.length();
        }
    }

    private void axis(StringBuilder svg, double top) {
        text(svg, LEFT - 8, TOP - 10, "end", "", unit);
        for (int i = 0; i <= TICKS; i++) {
            double value = top * i / TICKS;
            double y = y(value, top);
            svg.append(
                    format(
                            "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
                            LEFT, y, WIDTH - RIGHT, y));
            text(svg, LEFT - 8, y + 4, "end", "", number(value));
        }
    }

    private void bars(StringBuilder svg, double top) {
        double group = (double) (WIDTH - LEFT - RIGHT) / Math.max(1, labels.size());
        double bar = group * 0.8 / Math.max(1, series.size());
        for (int g = 0; g < labels.size(); g++) {
            String label = labels.get(g);
            double x = LEFT + g * group + group * 0.1;
            int i = 0;
            for (Map<String, Double> values : series.values()) {
                Double value = values.get(label);
                if (value != null) {
                    double y = y(value, top);
                    svg.append(
                            format(
                                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\""
                                            + " fill=\"%s\"/>\n",
                                    x + i * bar, y, bar * 0.95, y(0, top) - y, colour(i)));
                    text(
                            svg,
                            x + i * bar + bar / 2,
                            y - 4,
                            "middle",
                            "font-size=\"10\"",
                            number(value));
                }
                i++;
            }
            text(svg, x + group * 0.4, TOP + PLOT_HEIGHT + 18, "middle", "", label);
        }
    }

    private static double y(double value, double top) {
        return TOP + PLOT_HEIGHT * (1 - value / top);
    }

    private static String colour(int series) {
        return COLOURS[series % COLOURS.length];
    }

    private static String number(double value) {
        String text = format(value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
        return text.contains(".") ? text.replaceAll("\\.?0+$", "") : text;
    }

    private static void text(
            StringBuilder svg, double x, double y, String anchor, String more, String text) {
        svg.append(
                format(
                        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>\n",
                        x, y, anchor, more.isEmpty() ? "" : " " + more, escape(text)));
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private static List<String> wrap(String line) {
        List<String> lines = new ArrayList<>();
        String rest = line;
        while (rest.length() > WRAP) {
            int at = rest.lastIndexOf(' ', WRAP);
            int cut = at > 0 ? at : WRAP;
            lines.add(rest.substring(0, cut));
            rest = rest.substring(cut).strip();
        }
        lines.add(rest);
        return lines;
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
