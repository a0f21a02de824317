package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstoreException;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenstore ls}: the tree below a path, in {@code xenstore-ls}'s layout. */
@Command(
        name = "grantwire xenstore ls",
        description = "Show the keys below a path as a tree, with their values.")
final class LsAction extends StoreAction {
    /** The column that permissions are moved to with dots. */
    private static final int PERMISSION_COLUMN = 60;

    /** Longer lines are shortened, as {@code xenstore-ls} does away from a terminal. */
    private static final int WIDTH = 80;

    /** What {@code = "\\..."} takes at the end of a shortened line, less what is behind it. */
    private static final int TAG = 8;

    @Option(names = "-f", description = "Show each key's whole path.")
    boolean wholePath;

    @Option(names = "-p", description = "Show permissions.")
    boolean permissions;

    @Parameters(
            arity = "0..1",
            paramLabel = "PATH",
            defaultValue = "/",
            description = "Where to begin (default: /).")
    String path;

    @Override
    int run(Xenstore store, Context context) {
        list(store, path, 0, context);
        return ExitStatus.OK;
    }

    private void list(Xenstore store, String path, int depth, Context context) {
        List<String> names;
        try {
            names = store.directory(path);
        } catch (XenstoreException e) {
            if (depth > 0 && e.errnoName().equals("ENOENT")) {
                // Removed while we were walking.
                return;
            }
            throw e;
        }
        for (String name : names) {
            if (context.stop().requested()) {
                return;
            }
            String child = StorePaths.child(path, name);
            print(store, child, name, depth, context.out());
            list(store, child, depth + 1, context);
        }
    }

    private void print(Xenstore store, String child, String name, int depth, PrintStream out) {
        // Whole paths are never shortened, nor filled up to the column.
        int width = wholePath ? Integer.MAX_VALUE / 2 : WIDTH;
        StringBuilder line = new StringBuilder();
        if (wholePath) {
            line.append(child);
        } else {
            line.append(" ".repeat(depth)).append(name, 0, Math.min(name.length(), width - TAG));
            line.setLength(Math.min(line.length(), Math.max(depth, width - TAG)));
        }
        byte[] value = read(store, child);
        if (value == null) {
            out.println(line.append(':'));
            return;
        }
        String shown = StoreValues.shown(value);
        boolean whole = width >= line.length() + value.length + TAG;
        if (whole) {
            line.append(" = \"").append(shown).append('"');
        } else {
            int room = Math.max(0, width - TAG - line.length());
            line.append(" = \"").append(shown, 0, Math.min(shown.length(), room));
            line.append("\\...\"");
        }
        if (permissions) {
            if (whole) {
                line.append(' ');
                while (!wholePath && line.length() < PERMISSION_COLUMN) {
                    line.append(line.length() % 2 == 0 ? ' ' : '.');
                }
            }
            line.append("  (").append(permissionsOf(store, child)).append(')');
        }
        out.println(line);
    }

    private static byte[] read(Xenstore store, String path) {
        try {
            return store.read(path);
        } catch (XenstoreException e) {
            return switch (e.errnoName()) {
                case "ENOENT", "EACCES" -> null;
                default -> throw e;
            };
        }
    }

    private static String permissionsOf(Xenstore store, String path) {
        try {
            return store.permissions(path).stream()
                    .map(Object::toString)
                    .collect(Collectors.joining(","));
        } catch (XenstoreException e) {
            return "?";
        }
    }
}
