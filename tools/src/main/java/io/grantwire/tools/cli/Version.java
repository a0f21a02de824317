package io.grantwire.tools.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The program's version, as the build recorded it. */
public final class Version {
    private Version() {}

    /** For instance {@code 0.1.0-SNAPSHOT}. */
    public static String text() {
        try (InputStream in =
                Version.class.getResourceAsStream("/io/grantwire/tools/version.properties")) {
            if (in == null) {
                return "unknown";
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
