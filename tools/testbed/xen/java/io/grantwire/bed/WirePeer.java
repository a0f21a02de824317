package io.grantwire.bed;

import io.grantwire.pmd.driver.pcap.PcapReader;
import io.grantwire.pmd.driver.pcap.PcapWriter;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * The other end of an uplink's wire: sends a capture's frames into an interface of this kernel and
 * keeps what comes back in another capture. Only so many frames are on their way at a time, since a
 * wire, unlike a file, does not wait. Says when it is ready, and begins when it is given a line.
 *
 * <pre>
 *   WirePeer INTERFACE IN.pcap OUT.pcap SECONDS
 * </pre>
 */
public final class WirePeer implements AutoCloseable {
    private static final int ON_THEIR_WAY = 96;
    private static final int BURST = 32;
    private static final long PAUSE_NANOS = 200_000;

    /** The Ethernet type of the bed's frames, behind their tag. */
    private static final int TYPE = 0x88b5;

    private static final int TYPE_AT = 16;

    private final Mempool pool = Mempool.create(MempoolConfig.of("wire", 2048));
    private final EthDevice device;
    private final PcapReader in;
    private final PcapWriter out;
    private final int[] burst = new int[BURST];
    private boolean more;
    private long sent;
    private long got;
    private long others;

    private WirePeer(String iface, Path from, Path to) {
        device = EthDrivers.probe("net_af_packet9,iface=" + iface, () -> null);
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
        in = PcapReader.open(from);
        more = in.next();
        out = PcapWriter.create(to, false);
    }

    public static void main(String[] args) throws IOException {
        boolean all;
        try (WirePeer peer = new WirePeer(args[0], Path.of(args[1]), Path.of(args[2]))) {
            System.out.println("ready");
            System.in.read();
            all = peer.run(Duration.ofSeconds(Integer.parseInt(args[3])));
            System.out.println(
                    "sent " + peer.sent + " frames into " + args[0] + ", " + peer.got + " came back, and " + peer.others + " others");
        }
        System.exit(all ? 0 : 1);
    }

    private boolean run(Duration most) {
        long end = System.nanoTime() + most.toNanos();
        while ((more || got < sent) && System.nanoTime() - end < 0) {
            if (send() + receive() == 0) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        return !more && got == sent;
    }

    private int send() {
        int before = (int) sent;
        while (more && sent - got < ON_THEIR_WAY) {
            int m = pool.alloc();
            MemorySegment.copy(in.segment(), in.offset(), Mbuf.segment(m), Mbuf.offset(m), in.capturedLength());
            Mbuf.setLen(m, in.capturedLength());
            burst[0] = m;
            if (device.txBurst(0, burst, 0, 1) == 0) {
                pool.free(m);
                break;
            }
            sent++;
            more = in.next();
        }
        return (int) sent - before;
    }

    private int receive() {
        int n = device.rxBurst(0, burst, 0, BURST);
        for (int i = 0; i < n; i++) {
            // The kernel says a word of its own now and then, for instance about IPv6.
            if (isOurs(burst[i])) {
                out.write(burst[i], out.now());
                got++;
            } else {
                others++;
            }
            pool.free(burst[i]);
        }
        return n;
    }

    private static boolean isOurs(int m) {
        if (Mbuf.dataLen(m) < TYPE_AT + 2) {
            return false;
        }
        MemorySegment memory = Mbuf.segment(m);
        long at = Mbuf.offset(m) + TYPE_AT;
        int type = (memory.get(ValueLayout.JAVA_BYTE, at) & 0xff) << 8 | memory.get(ValueLayout.JAVA_BYTE, at + 1) & 0xff;
        return type == TYPE;
    }

    @Override
    public void close() {
        device.stop();
        device.close();
        out.close();
        in.close();
        pool.close();
    }
}
