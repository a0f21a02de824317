package io.grantwire.tools.cli;

import java.io.InputStream;
import java.io.PrintStream;

/**
 * What a command gets from the program around it.
 *
 * @param name the command's name, for messages
 * @param in standard input
 * @param out where results go
 * @param err where the one line about a failure goes
 * @param stop the request to end, set by Ctrl-C and by SIGTERM
 */
public record Context(
        String name, InputStream in, PrintStream out, PrintStream err, StopRequest stop) {}
