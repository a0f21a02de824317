package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.InternetChecksum;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Finishes checksums in software: those of received frames that the device left to us ({@code
 * VIRTIO_NET_HDR_F_NEEDS_CSUM}, section 5.1.6.4.1), so that nobody behind this driver has to know
 * of such frames. No allocation; the frame's owner calls.
 */
final class VirtioChecksums {
    private VirtioChecksums() {}

    /**
     * Sums a frame up from {@code start} to its end, and writes the result at {@code start +
     * offset}; the pseudo header's sum is there already.
     *
     * @param start from the device: any value
     * @param offset from the device: any value
     * @return false, and nothing changed, when that is outside the frame
     */
    static boolean finish(int frame, int start, int offset) {
        int at = start + offset;
        if (start < 0 || offset < 0 || at + 2 > Mbuf.pktLen(frame)) {
            return false;
        }
        int sum = 0;
        int skip = start;
        // Whether an odd number of bytes has been summed up.
        boolean odd = false;
        for (int s = frame; s != 0; s = Mbuf.next(s)) {
            int len = Mbuf.dataLen(s);
            if (skip < len) {
                int n = len - skip;
                int part = InternetChecksum.sum(Mbuf.segment(s), Mbuf.offset(s) + skip, n);
                sum = InternetChecksum.add(sum, odd ? InternetChecksum.swapped(part) : part);
                odd ^= (n & 1) != 0;
                skip = 0;
            } else {
                skip -= len;
            }
        }
        int field = InternetChecksum.finish(sum);
        // Zero would mean "none" in UDP (RFC 768), and is the same number to TCP.
        field = field == 0 ? 0xFFFF : field;
        put(frame, at, field >>> 8);
        put(frame, at + 1, field);
        return true;
    }

    private static void put(int frame, int at, int value) {
        int rest = at;
        for (int s = frame; s != 0; s = Mbuf.next(s)) {
            int len = Mbuf.dataLen(s);
            if (rest < len) {
                MemorySegment segment = Mbuf.segment(s);
                segment.set(ValueLayout.JAVA_BYTE, Mbuf.offset(s) + rest, (byte) value);
                return;
            }
            rest -= len;
        }
    }
}
