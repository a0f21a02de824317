package io.grantwire.tools.bench.soak;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.driver.xenvirt.XenvirtMempools;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.bench.soak.TrafficBoard.Field;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.StdinWatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32;

/**
 * A guest in a process of its own that sends numbered frames with a checksum to a peer, and checks
 * those of the peer. {@code bench soak} starts it.
 */
public final class TrafficGuest {
    /**
     * The guest as a command: shows its counters for every line of input, ends when its input does,
     * or is killed.
     */
    public static final class Process implements Command {
        @Override
        public int run(String[] args, Context context) throws Exception {
            TrafficBoard board = TrafficBoard.open(Path.of(args[4]));
            StdinWatch.start(
                    context.in(),
                    context.stop(),
                    line -> {
                        context.out().println(board);
                        context.out().flush();
                    });
            TrafficGuest.run(args, () -> context.stop().requested());
            return ExitStatus.OK;
        }
    }

    private static final int ETHER = 14;
    private static final int EPOCH = ETHER;
    private static final int SEQUENCE = EPOCH + 8;
    private static final int CHECKSUM = SEQUENCE + 8;
    private static final int PAYLOAD = CHECKSUM + 8;
    private static final int BURST = 16;
    private static final int LARGEST = 1514;

    /** Numbers within which a duplicate is known to be one. */
    private static final int MEMORY = 1 << 16;

    private final EthDevice device;
    private final Mempool pool;
    private final TrafficBoard board;
    private final long mac;
    private final long peer;
    private final long epoch = ProcessHandle.current().pid();
    private final byte[] frame = new byte[LARGEST];
    private final CRC32 crc = new CRC32();
    private final long[] seen = new long[MEMORY];
    private final int[] mbufs = new int[64];
    private long sequence;
    private long peersEpoch;
    private long first;
    private long highest;
    private long distinct;

    private TrafficGuest(EthDevice device, Mempool pool, TrafficBoard board, long mac, long peer) {
        this.device = device;
        this.pool = pool;
        this.board = board;
        this.mac = mac;
        this.peer = peer;
    }

    /** Runs until it is killed; for the arguments see {@link #run}. */
    public static void main(String[] args) throws Exception {
        run(args, () -> false);
    }

    /**
     * Arguments: directory of the emulated host, or "xen" on a real one; domain; MAC; MAC of the
     * peer; board; microseconds between bursts.
     */
    private static void run(String[] args, BooleanSupplier stop) throws Exception {
        int domid = Integer.parseInt(args[1]);
        Domain guest =
                Domains.open(
                        args[0].equals("xen")
                                ? DomainOptions.guest()
                                : DomainOptions.emulatedGuest(Path.of(args[0]), "VM" + domid)
                                        .withDomid(domid));
        MacAddress mac = MacAddress.parse(args[2]);
        Mempool pool = XenvirtMempools.create(guest, "traffic", 2048, 2048, 0);
        EthDevice device = EthDrivers.probe("eth_xenvirt0,mac=" + mac, () -> guest);
        device.configure(EthConfig.SINGLE_QUEUE);
        device.txQueueSetup(0, 0);
        device.rxQueueSetup(0, 0, pool);
        device.start();
        TrafficBoard board = TrafficBoard.open(Path.of(args[4]));
        board.set(Field.PID, ProcessHandle.current().pid());
        long peer = MacAddress.parse(args[3]).value();
        long pause = Long.parseLong(args[5]) * 1000;
        TrafficGuest traffic = new TrafficGuest(device, pool, board, mac.value(), peer);
        while (!stop.getAsBoolean()) {
            traffic.receive();
            traffic.send();
            LockSupport.parkNanos(pause);
        }
    }

    private void send() {
        int n = 0;
        while (n < BURST) {
            int m = pool.alloc();
            if (m == 0) {
                break;
            }
            int length = PAYLOAD + (int) ((sequence + n) * 37 % (LARGEST - PAYLOAD));
            write(length, sequence + n);
            MemorySegment.copy(
                    frame, 0, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), length);
            Mbuf.setLen(m, length);
            mbufs[n++] = m;
        }
        int sent = device.txBurst(0, mbufs, 0, n);
        Mempool.freeBulk(mbufs, sent, n - sent);
        sequence += sent;
        board.add(Field.SENT, sent);
    }

    private void write(int length, long number) {
        for (int i = 0; i < 6; i++) {
            frame[i] = (byte) (peer >> 40 - 8 * i);
            frame[6 + i] = (byte) (mac >> 40 - 8 * i);
        }
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xb5;
        put(EPOCH, epoch);
        put(SEQUENCE, number);
        for (int i = PAYLOAD; i < length; i++) {
            frame[i] = (byte) (number + i * 7);
        }
        put(CHECKSUM, checksum(length));
    }

    /** Of everything but the checksum. */
    private long checksum(int length) {
        crc.reset();
        crc.update(frame, 0, CHECKSUM);
        crc.update(frame, PAYLOAD, length - PAYLOAD);
        return crc.getValue() << 16 | length;
    }

    private void put(int at, long value) {
        for (int i = 0; i < 8; i++) {
            frame[at + i] = (byte) (value >> 56 - 8 * i);
        }
    }

    private long get(int at) {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = value << 8 | frame[at + i] & 0xff;
        }
        return value;
    }

    private void receive() {
        int n = device.rxBurst(0, mbufs, 0, mbufs.length);
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            int length = Mbuf.pktLen(m);
            MemorySegment.copy(
                    Mbuf.segment(m),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(m),
                    frame,
                    0,
                    Math.min(length, LARGEST));
            if (length >= ETHER && get(6) >>> 16 != peer) {
                // A neighbour may send what it likes. A frame of the peer with another source would
                // be missing.
                board.add(Field.FOREIGN, 1);
            } else if (length < PAYLOAD || length > LARGEST) {
                board.add(Field.CORRUPT, 1);
            } else if (get(CHECKSUM) != checksum(length)) {
                board.add(Field.CORRUPT, 1);
            } else {
                account();
            }
        }
        Mempool.freeBulk(mbufs, 0, n);
    }

    private void account() {
        long number = get(SEQUENCE);
        if (get(EPOCH) != peersEpoch) {
            peersEpoch = get(EPOCH);
            first = number;
            highest = number - 1;
            distinct = 0;
            java.util.Arrays.fill(seen, -1);
        }
        int slot = (int) (number & MEMORY - 1);
        if (seen[slot] == number) {
            board.add(Field.DUPLICATES, 1);
            return;
        }
        seen[slot] = number;
        distinct++;
        if (number < highest) {
            board.add(Field.REORDERED, 1);
        }
        highest = Math.max(highest, number);
        board.add(Field.RECEIVED, 1);
        board.set(Field.MISSING, highest - first + 1 - distinct);
        board.set(Field.LATEST, System.nanoTime());
    }
}
