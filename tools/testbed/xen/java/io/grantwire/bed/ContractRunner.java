package io.grantwire.bed;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.Arrays;
import java.util.Optional;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs test classes inside a domain and prints a line for each test: {@code PASS}, {@code FAIL} or {@code SKIP}. A skipped test
 * is a failure here: where these tests run, the devices are there.
 */
public final class ContractRunner {
    private int passed;
    private int failed;

    private ContractRunner() {}

    public static void main(String[] classes) {
        System.exit(new ContractRunner().run(classes) ? 0 : 1);
    }

    private boolean run(String[] classes) {
        LauncherDiscoveryRequest request =
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(Arrays.stream(classes).map(name -> selectClass(name)).toList())
                        .build();
        LauncherFactory.create().execute(request, new Lines());
        System.out.println(passed + " passed, " + failed + " failed");
        return failed == 0 && passed > 0;
    }

    private final class Lines implements TestExecutionListener {
        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            Optional<Throwable> why = result.getThrowable();
            if (test.isTest() && result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) {
                passed++;
                System.out.println("PASS " + name(test));
            } else if (test.isTest() || why.isPresent()) {
                failed++;
                System.out.println("FAIL " + name(test) + ": " + why.map(Throwable::toString).orElse("no reason given").lines().findFirst().orElse(""));
                why.ifPresent(e -> e.printStackTrace(System.out));
            }
        }

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            failed++;
            System.out.println("FAIL " + name(test) + ": skipped, " + reason);
        }

        private static String name(TestIdentifier test) {
            return test.getSource()
                    .filter(MethodSource.class::isInstance)
                    .map(MethodSource.class::cast)
                    .map(source -> shortName(source.getClassName()) + "." + source.getMethodName())
                    .orElse(test.getDisplayName());
        }

        private static String shortName(String className) {
            return className.substring(className.lastIndexOf('.') + 1);
        }
    }
}
