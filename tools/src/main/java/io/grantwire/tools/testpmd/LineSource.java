package io.grantwire.tools.testpmd;

import java.io.IOException;

/** Where command lines come from. */
interface LineSource extends AutoCloseable {
    /**
     * The next line.
     *
     * @return the line, or null at the end of the input or when a person asked to end
     */
    String next() throws IOException;

    @Override
    default void close() throws IOException {}
}
