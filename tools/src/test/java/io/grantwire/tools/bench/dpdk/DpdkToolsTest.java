package io.grantwire.tools.bench.dpdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.HugePages;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.StopRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DpdkToolsTest {
    private static final List<HugePages.Pool> ENOUGH =
            List.of(new HugePages.Pool(2 << 20, 600, 512));

    @TempDir Path root;

    private DpdkTools tools() {
        return new DpdkTools(root, "/usr/local/bin::/usr/bin");
    }

    private void install(String file) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "");
        assertTrue(path.toFile().setExecutable(true));
    }

    @Test
    void whatIsMissingComesWithTheCommandThatMendsIt() {
        List<String> missing = tools().missing(List.of());
        assertEquals(5, missing.size(), missing.toString());
        assertTrue(missing.get(0).endsWith("apt-get install -y dpdk-dev"));
        assertTrue(missing.get(1).endsWith("apt-get install -y librte-net-vhost23"));
        assertTrue(missing.get(2).endsWith("apt-get install -y librte-net-virtio23"));
        assertTrue(missing.get(3).contains("echo 576 > /proc/sys/vm/nr_hugepages"));
        assertTrue(missing.get(4).contains("mount -t hugetlbfs"));
    }

    @Test
    void nothingIsMissingWhenAllIsThere() throws IOException {
        install("usr/bin/dpdk-testpmd");
        install("usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/librte_net_vhost.so.23.0");
        install("usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/librte_net_virtio.so.23.0");
        Files.createDirectories(root.resolve("proc"));
        Files.writeString(root.resolve("proc/mounts"), "nodev /dev/hugepages hugetlbfs rw 0 0\n");
        assertEquals(List.of(), tools().missing(ENOUGH));
        assertEquals(root.resolve("usr/bin/dpdk-testpmd"), tools().program("dpdk-testpmd"));
        assertNull(tools().program("dpdk-test"));
    }

    @Test
    void theCommandFailsAndSaysWhatIsMissing() throws Exception {
        VsDpdkAction action = new VsDpdkAction();
        action.tools = tools();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Context context =
                new Context(
                        "bench",
                        InputStream.nullInputStream(),
                        new PrintStream(out),
                        new PrintStream(err),
                        new StopRequest());
        assertEquals(1, action.run(context));
        assertEquals("", out.toString());
        assertTrue(err.toString().startsWith("grantwire bench vs-dpdk: DPDK cannot be run here:"));
        assertTrue(err.toString().contains("apt-get install -y dpdk-dev"));
    }

    @Test
    void ratesAreReadFromTestpmdsStatistics() {
        assertEquals(
                33.512345,
                TestpmdPair.parse("  Rx-pps:     33512345          Rx-bps:  17158320640"));
        assertEquals(0, TestpmdPair.parse("  Tx-pps:     33512345          Tx-bps:  1"));
        assertEquals(0, TestpmdPair.parse("  RX-packets: 0          RX-missed: 0"));
    }

    @Test
    void ringFiguresAreThoseOfBulksOf32() {
        List<String> lines =
                """
                ### Testing single element enq/deq ###
                legacy APIs: SP/SC: single: 9.67
                ### Testing burst enq/deq ###
                legacy APIs: SP/SC: burst (size: 32): 40.00
                ### Testing bulk enq/deq ###
                legacy APIs: SP/SC: bulk (size: 8): 18.00
                legacy APIs: SP/SC: bulk (size: 32): 41.50
                legacy APIs: MP/MC: bulk (size: 32): 55.70
                ### Testing using two physical cores ###
                legacy APIs: SP/SC: bulk (size: 32): 3.90
                legacy APIs: MP/MC: bulk (size: 32): 8.00
                ### Testing using all worker nodes ###
                legacy APIs: SP/SC: bulk (size: 32): 99.00
                ### Testing bulk enq/deq ###
                elem APIs: element size 16B: SP/SC: bulk (size: 32): 112.47
                """
                        .lines()
                        .toList();
        assertEquals(
                Map.of("1 SP/SC", 41.5, "1 MP/MC", 55.7, "2 SP/SC", 3.9, "2 MP/MC", 8.0),
                RingPerf.parse(lines));
    }
}
