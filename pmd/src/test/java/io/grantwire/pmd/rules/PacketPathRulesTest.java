package io.grantwire.pmd.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.InternetChecksum;
import io.grantwire.pmd.net.UdpHeader;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.pmd.ring.Ring;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of the packet path, checked in the byte code of everything it can reach. */
class PacketPathRulesTest {
    private static void clean(PacketPathScan scan) {
        List<String> findings = scan.findings();
        assertEquals("", String.join("\n", findings));
        assertTrue(scan.methods() > 3, "methods read: " + scan.methods());
    }

    @Test
    void buffersAndRings() {
        clean(
                new PacketPathScan()
                        .from(Mbuf.class)
                        .from(
                                Mempool.class,
                                "alloc",
                                "allocBulk",
                                "allocRawBulk",
                                "allocChain",
                                "free",
                                "freeBulk")
                        .from(
                                Ring.class,
                                "enqueue",
                                "enqueueBulk",
                                "enqueueBurst",
                                "dequeue",
                                "dequeueBulk",
                                "dequeueBurst",
                                "count")
                        .excuse(Mempool.class, "newCache", "once per lcore"));
    }

    @Test
    void headersAndCounters() {
        clean(
                new PacketPathScan()
                        .from(EtherHeader.class)
                        .from(VlanTag.class)
                        .from(InternetChecksum.class)
                        .from(UdpHeader.class)
                        .from(QueueCounters.class, "add", "addErrors", "addMissed", "addNoMbuf"));
    }

    @Test
    void theScanFindsWhatItIsFor() {
        List<String> findings = new PacketPathScan().from(Offender.class, "burst").findings();
        for (String expected :
                List.of(
                        "monitor",
                        "volatile field flag",
                        "volatile access",
                        "synchronized",
                        "allocation of java/lang/Object",
                        "allocation of an array",
                        "boxing",
                        "exception thrown",
                        "allocation (makeConcatWithConstants)",
                        "method handle call",
                        "HANDLE: a handle that is not static final")) {
            assertTrue(
                    findings.stream().anyMatch(f -> f.contains(expected)),
                    expected + " in " + findings);
        }
    }

    @SuppressWarnings("unused")
    private static class Offender {
        private final VarHandle HANDLE = MethodHandles.arrayElementVarHandle(int[].class);
        private volatile boolean flag;
        private Object kept;

        int burst(int n) throws Throwable {
            synchronized (this) {
                kept = new Object();
            }
            if (flag) {
                kept = new int[n];
            }
            HANDLE.setVolatile(new int[1], 0, n);
            kept = n;
            return locked("n = " + n).length();
        }

        private synchronized String locked(String s) throws Throwable {
            if (s.isEmpty()) {
                throw new IllegalStateException();
            }
            return (String) MethodHandles.identity(String.class).invokeExact(s);
        }
    }
}
