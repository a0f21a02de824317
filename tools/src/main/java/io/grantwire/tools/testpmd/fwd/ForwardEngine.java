package io.grantwire.tools.testpmd.fwd;

/**
 * What a forwarding mode does with the frames of a {@link Stream}. An engine has no state of its
 * own: everything that changes is in the stream, which one polling thread owns.
 *
 * <p>{@link #forward} is packet path: it allocates nothing, takes no lock and makes no system call.
 */
public interface ForwardEngine {
    /** The mode's name, as {@code set fwd} takes it. */
    String name();

    /**
     * Whether the mode makes frames itself, so that a length of generated frames means something.
     */
    default boolean generates() {
        return false;
    }

    /** Prepares a stream, before its polling thread starts. */
    default void begin(Stream stream) {}

    /**
     * One pass: at most a burst.
     *
     * @return frames received or sent; 0 tells the polling thread that it may rest
     */
    int forward(Stream stream);
}
