import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Sums up the test reports of all modules: what was skipped and why, what failed, and the totals in
 * Surefire's own form. Run from source: {@code java TestReport.java <project root>}. Exits 1 when a
 * test failed or none ran.
 */
final class TestReport {
    private int tests;
    private int failures;
    private int errors;
    private int skipped;
    private final Map<String, List<String>> skippedByReason = new TreeMap<>();
    private final List<String> broken = new ArrayList<>();

    public static void main(String[] args) throws IOException, XMLStreamException {
        TestReport report = new TestReport();
        try (Stream<Path> modules = Files.list(Path.of(args[0]))) {
            for (Path module : modules.sorted().toList()) {
                Path reports = module.resolve("target/surefire-reports");
                if (Files.isDirectory(reports)) {
                    report.readAll(reports);
                }
            }
        }
        System.exit(report.print() ? 0 : 1);
    }

    private void readAll(Path directory) throws IOException, XMLStreamException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("TEST-") && name.endsWith(".xml")) {
                    read(file);
                }
            }
        }
    }

    private void read(Path file) throws IOException, XMLStreamException {
        XMLInputFactory factory = XMLInputFactory.newFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        try (InputStream in = Files.newInputStream(file)) {
            XMLStreamReader xml = factory.createXMLStreamReader(in);
            String test = "";
            while (xml.hasNext()) {
                if (xml.next() != XMLStreamReader.START_ELEMENT) {
                    continue;
                }
                switch (xml.getLocalName()) {
                    case "testcase" -> {
                        tests++;
                        String type = xml.getAttributeValue(null, "classname");
                        String method = xml.getAttributeValue(null, "name");
                        type = type == null ? "" : type.substring(type.lastIndexOf('.') + 1);
                        test = method == null || method.isEmpty() ? type : type + "." + method;
                    }
                    case "skipped" -> {
                        skipped++;
                        String message = xml.getAttributeValue(null, "message");
                        String reason = reason(message == null ? xml.getElementText() : message);
                        skippedByReason.computeIfAbsent(reason, _ -> new ArrayList<>()).add(test);
                    }
                    case "failure" -> {
                        failures++;
                        broken.add(test);
                    }
                    case "error" -> {
                        errors++;
                        broken.add(test);
                    }
                    default -> {}
                }
            }
        }
    }

    /** What a person wants of an aborted test: not the exception's class, nor where it was thrown. */
    private static String reason(String text) {
        String first = text.strip().lines().findFirst().orElse("");
        first = first.replaceFirst("^[\\w.]+\\.\\w*(Exception|Error)(: |$)", "");
        first = first.replaceFirst("^Assumption failed: ", "").strip();
        return first.isEmpty() ? "no reason given" : first;
    }

    private boolean print() {
        if (!skippedByReason.isEmpty()) {
            System.out.println("\nSkipped:");
            skippedByReason.forEach(
                    (reason, names) -> {
                        System.out.println("  " + reason);
                        names.stream().distinct().forEach(n -> System.out.println("    " + n));
                    });
        }
        if (!broken.isEmpty()) {
            System.out.println("\nFailed:");
            broken.forEach(n -> System.out.println("  " + n));
        }
        if (tests == 0) {
            System.out.println("\nNo test ran.");
        }
        System.out.printf(
                "%nTests run: %d, Failures: %d, Errors: %d, Skipped: %d%n",
                tests, failures, errors, skipped);
        return tests > skipped && broken.isEmpty();
    }
}
