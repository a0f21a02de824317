package io.grantwire.tools.bench;

import io.grantwire.tools.cli.Context;

/** One benchmark; an object with picocli's annotations, for one run. */
public interface BenchAction {
    /**
     * Checks the options together, before anything is started.
     *
     * @throws io.grantwire.tools.cli.UsageException naming the option that makes no sense
     */
    void check();

    /**
     * Measures and reports.
     *
     * @return the exit status
     */
    int run(Context context) throws Exception;
}
