package io.grantwire.tools.bench;

import java.util.Arrays;
import java.util.Collection;

/**
 * Several measurements of the same thing.
 *
 * @param median the middle one, or the mean of the two in the middle
 * @param min the least
 * @param max the greatest
 * @param count how many
 */
public record Spread(double median, double min, double max, int count) {
    /**
     * Of these.
     *
     * @throws IllegalArgumentException when there are none
     */
    public static Spread of(Collection<Double> values) {
        double[] v = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (v.length == 0) {
            throw new IllegalArgumentException("nothing was measured");
        }
        int middle = v.length / 2;
        double median = v.length % 2 == 1 ? v[middle] : (v[middle - 1] + v[middle]) / 2;
        return new Spread(median, v[0], v[v.length - 1], v.length);
    }

    /** Of these. */
    public static Spread of(double... values) {
        return of(Arrays.stream(values).boxed().toList());
    }

    /** How far the extremes are apart, in per cent of the median. */
    public double percent() {
        return median == 0 ? 0 : 100 * (max - min) / median;
    }
}
