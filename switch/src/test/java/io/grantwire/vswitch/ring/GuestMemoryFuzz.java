package io.grantwire.vswitch.ring;

import static io.grantwire.vswitch.ring.RingCheck.check;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Whatever pools a guest names and whatever its descriptors point at, translation says what
 * arithmetic without an end says (CVE-2018-1059, CVE-2020-10722).
 *
 * <p>An input is the number of pools, their addresses (eight bytes) and sizes (two), then the
 * address and length (four) of a buffer.
 */
class GuestMemoryFuzz {
    private static final MemorySegment MEMORY =
            java.lang.foreign.Arena.ofAuto().allocate(65536, 4096);
    private static final BigInteger SPACE = BigInteger.ONE.shiftLeft(64);

    @FuzzTest(maxDuration = "60s")
    void anyAddressIsInsideOneRangeOrRefused(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int count = in.hasRemaining() ? in.get() & 31 : 0;
        List<GuestRange> ranges = new ArrayList<>();
        for (int i = 0; i < count && in.remaining() >= 10; i++) {
            long address = in.getLong();
            int size = in.getShort() & 0xffff;
            BigInteger end = unsigned(address).add(BigInteger.valueOf(size));
            try {
                ranges.add(new GuestRange("pool " + i, address, MEMORY.asSlice(0, size)));
                check(size > 0 && end.compareTo(SPACE) <= 0, "a bad range was taken");
            } catch (IllegalArgumentException e) {
                check(size == 0 || end.compareTo(SPACE) > 0, "a good range was refused");
            }
        }
        GuestMemory memory;
        try {
            memory = GuestMemory.of(ranges);
            check(fit(ranges), "bad pools were taken");
        } catch (IllegalArgumentException e) {
            check(!fit(ranges), "good pools were refused: " + e.getMessage());
            return;
        }
        while (in.remaining() >= 12) {
            // The walker asks for no empty buffer.
            translate(memory, ranges, in.getLong(), Math.max(in.getInt() & 0xffff_ffffL, 1));
        }
    }

    private static void translate(
            GuestMemory memory, List<GuestRange> ranges, long address, long length) {
        BigInteger from = unsigned(address);
        BigInteger to = from.add(BigInteger.valueOf(length));
        long expected = -1;
        RejectReason reason = RejectReason.ADDRESS_UNKNOWN;
        for (int i = 0; i < ranges.size(); i++) {
            BigInteger begin = unsigned(ranges.get(i).address());
            BigInteger end = begin.add(BigInteger.valueOf(ranges.get(i).segment().byteSize()));
            if (from.compareTo(begin) >= 0 && to.compareTo(end) <= 0) {
                if (expected < 0) {
                    expected = GuestMemory.place(i, from.subtract(begin).longValueExact());
                }
            } else if (from.compareTo(begin) >= 0 && from.compareTo(end) < 0) {
                reason = RejectReason.ADDRESS_OVERRUN;
            }
        }
        long found = memory.translate(address, length);
        if (expected >= 0) {
            check(found == expected, "found at " + found + ", not " + expected);
        } else {
            check(found < 0 && RejectReason.decode(found) == reason, "not refused as " + reason);
        }
    }

    private static boolean fit(List<GuestRange> ranges) {
        if (ranges.isEmpty() || ranges.size() > GuestMemory.MAX_RANGES) {
            return false;
        }
        for (int i = 0; i < ranges.size(); i++) {
            for (int j = 0; j < i; j++) {
                BigInteger a = unsigned(ranges.get(i).address());
                BigInteger b = unsigned(ranges.get(j).address());
                BigInteger aEnd = a.add(BigInteger.valueOf(ranges.get(i).segment().byteSize()));
                BigInteger bEnd = b.add(BigInteger.valueOf(ranges.get(j).segment().byteSize()));
                if (a.compareTo(bEnd) < 0 && b.compareTo(aEnd) < 0) {
                    return false;
                }
            }
        }
        return true;
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }
}
