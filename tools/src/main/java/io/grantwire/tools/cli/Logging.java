package io.grantwire.tools.cli;

import java.io.PrintStream;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Logging for programs: every record is one line {@code LOGGER:message}, so that for instance
 * {@code DATA:(0) MAC_ADDRESS 00:00:00:00:00:11 and VLAN_TAG 1000 registered.} reads as people know
 * it. Records of loggers that are not named as a log type are shown from WARN on.
 */
public final class Logging {
    private Logging() {}

    /**
     * Sets up the log.
     *
     * @param level the least severe level shown
     * @param out where the lines go
     */
    public static void start(Level level, PrintStream out) {
        LogManager.getLogManager().reset();
        Logger root = Logger.getLogger("");
        root.setLevel(level);
        LineHandler handler = new LineHandler(out);
        handler.setLevel(level);
        handler.setFormatter(new LineFormatter());
        root.addHandler(handler);
    }

    /** A level by DPDK's number (1 emergency to 8 debug) or by name. */
    public static Level level(String text) {
        String word = text.substring(text.lastIndexOf(':') + 1);
        word = word.substring(word.lastIndexOf(',') + 1);
        return switch (word.toLowerCase(java.util.Locale.ROOT)) {
            case "0", "off", "none" -> Level.OFF;
            case "1", "2", "3", "4", "emergency", "alert", "critical", "error" -> Level.SEVERE;
            case "5", "warning", "warn" -> Level.WARNING;
            case "6", "7", "notice", "info" -> Level.INFO;
            case "8", "debug" -> Level.FINE;
            case "trace" -> Level.FINEST;
            default ->
                    throw new UsageException(
                            "Invalid log level '"
                                    + text
                                    + "': give 1 (emergency) to 8 (debug), or error, warning,"
                                    + " info, debug");
        };
    }

    /** Writes records straight through: a line must be seen even when the program dies next. */
    private static final class LineHandler extends Handler {
        private final PrintStream out;

        LineHandler(PrintStream out) {
            this.out = out;
        }

        @Override
        public void publish(LogRecord record) {
            if (isLoggable(record)) {
                out.println(getFormatter().format(record));
                out.flush();
            }
        }

        @Override
        public void flush() {
            out.flush();
        }

        @Override
        public void close() {
            out.flush();
        }
    }

    /** {@code LOGGER:message}; the class name alone for loggers named after a class. */
    static final class LineFormatter extends Formatter {
        @Override
        public String format(LogRecord record) {
            String logger = record.getLoggerName() == null ? "" : record.getLoggerName();
            StringBuilder line = new StringBuilder(96);
            line.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(':');
            line.append(formatMessage(record));
            Throwable thrown = record.getThrown();
            if (thrown != null) {
                line.append(": ").append(Messages.of(thrown));
            }
            return Messages.oneLine(line.toString());
        }
    }
}
