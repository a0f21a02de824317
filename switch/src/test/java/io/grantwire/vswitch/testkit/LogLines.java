package io.grantwire.vswitch.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** The log lines of some loggers, each as {@code LOGGER:message}. */
public final class LogLines extends Handler implements AutoCloseable {
    private final List<Logger> loggers = new ArrayList<>();
    private final List<String> lines = new CopyOnWriteArrayList<>();

    /** Begins to listen; nothing goes to the console meanwhile. */
    public LogLines(String... names) {
        for (String name : names) {
            Logger logger = Logger.getLogger(name);
            logger.addHandler(this);
            logger.setUseParentHandlers(false);
            logger.setLevel(Level.ALL);
            loggers.add(logger);
        }
    }

    @Override
    public void publish(LogRecord r) {
        lines.add(r.getLoggerName() + ":" + new SimpleFormatter().formatMessage(r));
    }

    @Override
    public void flush() {}

    /** The lines up to now. */
    public List<String> lines() {
        return lines;
    }

    /** Whether a line is there. */
    public boolean has(String line) {
        return lines.contains(line);
    }

    /** Whether a line with this in it is there. */
    public boolean contains(String part) {
        return lines.stream().anyMatch(l -> l.contains(part));
    }

    @Override
    public void close() {
        for (Logger logger : loggers) {
            logger.removeHandler(this);
            logger.setUseParentHandlers(true);
        }
    }
}
