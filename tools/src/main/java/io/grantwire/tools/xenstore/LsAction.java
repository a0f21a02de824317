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

    private void print(
            Xenstore store, String child, String name, int depth, PrintStream out) {
        StringBuilder line = new StringBuilder();
        line.append(wholePath ? child : " ".repeat(depth) + name);
        // Whole paths do not count towards the column, as in the original.
        int counted = wholePath ? -line.length() : 0;
        byte[] value = read(store, child);
        if (value == null) {
            out.println(line.append(':'));
            return;
        }
        line.append(" = \"").append(StoreValues.shown(value)).append('"');
        if (permissions) {
            line.append(' ');
            while (line.length() + counted < PERMISSION_COLUMN) {
                line.append('.');
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
