package io.grantwire.pmd.driver.pcap;

import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads pcapng files (draft-ietf-opsawg-pcapng): section headers in either byte order, interface
 * descriptions with their time resolution and offset, enhanced, simple and the obsolete packet
 * blocks. Other blocks are skipped.
 */
final class PcapngReader extends PcapReader {
    private static final int SECTION_HEADER = 28;
    private static final int INTERFACE_HEADER = 20;
    private static final int PACKET_HEADER = 28;
    private static final int SIMPLE_HEADER = 12;

    // By interface of the current section.
    private int interfaces;
    private int[] linkTypes = new int[4];
    private int[] snapLengths = new int[4];
    private int[] resolutions = new int[4];
    private long[] offsetSeconds = new long[4];

    PcapngReader(Path file, FileChannel channel, FileWindow in) {
        super(file, channel, in);
    }

    @Override
    boolean begin() {
        interfaces = 0;
        if (!in.ensure(8)) {
            return cutOff("its header", SECTION_HEADER);
        }
        return section();
    }

    @Override
    boolean advance() {
        FileWindow in = this.in;
        while (true) {
            if (!in.ensure(8)) {
                if (in.available() == 0 && in.failure() == null) {
                    return false;
                }
                return cutOff("a block header", 8);
            }
            int type = in.u32(0);
            if (type == PcapFormat.BLOCK_SECTION) {
                if (!section()) {
                    return false;
                }
                continue;
            }
            int length = in.u32(4);
            if (length < PcapFormat.BLOCK_OVERHEAD
                    || length > PcapFormat.MAX_BLOCK
                    || (length & 3) != 0) {
                return absurdBlock(length);
            }
            switch (type) {
                case PcapFormat.BLOCK_ENHANCED_PACKET, PcapFormat.BLOCK_PACKET_OBSOLETE -> {
                    return wholeBlock(length, PACKET_HEADER) && packet(type, length);
                }
                case PcapFormat.BLOCK_SIMPLE_PACKET -> {
                    return wholeBlock(length, SIMPLE_HEADER) && simplePacket(length);
                }
                case PcapFormat.BLOCK_INTERFACE -> {
                    if (!wholeBlock(length, INTERFACE_HEADER - 4) || !addInterface(length)) {
                        return false;
                    }
                    in.advance(length);
                }
                default -> {
                    if (!skipBlock(length)) {
                        return false;
                    }
                }
            }
        }
    }

    private boolean section() {
        if (!in.ensure(SECTION_HEADER)) {
            return cutOff("a section header", SECTION_HEADER);
        }
        in.setBigEndian(false);
        if (in.u32(8) != PcapFormat.BYTE_ORDER_MAGIC) {
            in.setBigEndian(true);
            if (in.u32(8) != PcapFormat.BYTE_ORDER_MAGIC) {
                return fail("section header without byte-order magic; the file is damaged");
            }
        }
        int length = in.u32(4);
        if (length < SECTION_HEADER || length > PcapFormat.MAX_BLOCK || (length & 3) != 0) {
            return fail("section header length " + Integer.toUnsignedString(length) + " is absurd");
        }
        int major = in.u16(12);
        if (major != 1) {
            return fail("format version " + major + "." + in.u16(14) + ", only 1.x is known");
        }
        interfaces = 0;
        return skipBlock(length);
    }

    private boolean absurdBlock(int length) {
        return fail(
                "block length "
                        + Integer.toUnsignedString(length)
                        + " is absurd; the file is damaged");
    }

    /** Skips a block; checks the length behind it. */
    private boolean skipBlock(int length) {
        if (!in.skip(length - 4) || !in.ensure(4)) {
            return cutOff("a block that is passed over", length);
        }
        if (in.u32(0) != length) {
            return differs(length, in.u32(0));
        }
        in.advance(4);
        return true;
    }

    /** Gets a block into the window, with {@code header} bytes before its data at least. */
    private boolean wholeBlock(int length, int header) {
        if (length < header + 4 || length > FileWindow.CAPACITY) {
            return unfitting(length);
        }
        if (!in.ensure(length)) {
            return cutOff("a block", length);
        }
        if (in.u32(length - 4) != length) {
            return differs(length, in.u32(length - 4));
        }
        return true;
    }

    private boolean unfitting(int length) {
        return fail("block length " + length + " does not fit its type; the file is damaged");
    }

    private boolean differs(int front, int behind) {
        return fail(
                "block length is "
                        + front
                        + " in front and "
                        + Integer.toUnsignedString(behind)
                        + " behind; the file is damaged");
    }

    private boolean addInterface(int length) {
        if (interfaces == PcapFormat.MAX_INTERFACES) {
            return fail("more than " + PcapFormat.MAX_INTERFACES + " interfaces in a section");
        }
        int i = interfaces;
        if (i == linkTypes.length) {
            linkTypes = Arrays.copyOf(linkTypes, 2 * i);
            snapLengths = Arrays.copyOf(snapLengths, 2 * i);
            resolutions = Arrays.copyOf(resolutions, 2 * i);
            offsetSeconds = Arrays.copyOf(offsetSeconds, 2 * i);
        }
        linkTypes[i] = in.u16(8);
        snapLengths[i] = in.u32(12);
        resolutions[i] = 6;
        offsetSeconds[i] = 0;
        int at = 16;
        int end = length - 4;
        while (end - at >= 4) {
            int code = in.u16(at);
            int size = in.u16(at + 2);
            at += 4;
            if (code == PcapFormat.OPTION_END) {
                break;
            }
            if (size > end - at) {
                return fail("option " + code + " of an interface is longer than its block");
            }
            if (code == PcapFormat.OPTION_TSRESOL && size >= 1) {
                resolutions[i] = in.u8(at);
            } else if (code == PcapFormat.OPTION_TSOFFSET && size >= 8) {
                offsetSeconds[i] = in.u64(at);
            }
            at += size + 3 & ~3;
        }
        interfaces = i + 1;
        return true;
    }

    private boolean packet(int type, int length) {
        FileWindow in = this.in;
        int port = type == PcapFormat.BLOCK_ENHANCED_PACKET ? in.u32(8) : in.u16(8);
        if (Integer.compareUnsigned(port, interfaces) >= 0) {
            return unknownInterface(port);
        }
        int captured = in.u32(20);
        int room = length - PACKET_HEADER - 4;
        if (Integer.compareUnsigned(captured, room) > 0 || captured > PcapFormat.MAX_CAPTURED) {
            return absurd(captured, length);
        }
        long ticks = (long) in.u32(12) << 32 | in.u32(16) & 0xFFFF_FFFFL;
        timestampNanos = nanos(ticks, resolutions[port]) + offsetSeconds[port] * 1_000_000_000L;
        capturedLength = captured;
        originalLength = in.u32(24);
        linkType = linkTypes[port];
        dataAt = PACKET_HEADER;
        recordLength = length;
        return true;
    }

    private boolean simplePacket(int length) {
        if (interfaces == 0) {
            return unknownInterface(0);
        }
        int original = in.u32(8);
        int captured = length - SIMPLE_HEADER - 4;
        if (Integer.compareUnsigned(original, captured) < 0) {
            captured = original;
        }
        // 0 is no limit.
        int snap = snapLengths[0];
        if (snap != 0 && Integer.compareUnsigned(snap, captured) < 0) {
            captured = snap;
        }
        if (captured > PcapFormat.MAX_CAPTURED) {
            return absurd(captured, length);
        }
        timestampNanos = 0;
        capturedLength = captured;
        originalLength = original;
        linkType = linkTypes[0];
        dataAt = SIMPLE_HEADER;
        recordLength = length;
        return true;
    }

    private boolean unknownInterface(int port) {
        return fail(
                "a packet of interface "
                        + Integer.toUnsignedString(port)
                        + ", but the section describes "
                        + interfaces);
    }

    private boolean absurd(int captured, int length) {
        return fail(
                "captured length "
                        + Integer.toUnsignedString(captured)
                        + " in a block of "
                        + length
                        + " bytes; the file is damaged");
    }

    /**
     * Ticks as nanoseconds.
     *
     * @param ticks unsigned
     * @param resolution if_tsresol: a negative power of 10, or of 2 when the top bit is set
     */
    static long nanos(long ticks, int resolution) {
        int power = resolution & 0x7F;
        if ((resolution & 0x80) == 0) {
            return decimalNanos(ticks, power);
        }
        if (power == 0) {
            return ticks * 1_000_000_000L;
        }
        if (power >= 64) {
            return 0;
        }
        long seconds = ticks >>> power;
        long fraction = ticks & (1L << power) - 1;
        long high = Math.unsignedMultiplyHigh(fraction, 1_000_000_000L);
        long low = fraction * 1_000_000_000L;
        return seconds * 1_000_000_000L + (high << 64 - power | low >>> power);
    }

    private static long decimalNanos(long ticks, int power) {
        long factor = 1;
        for (int i = power; i < 9; i++) {
            factor *= 10;
        }
        if (factor > 1 || power == 9) {
            return ticks * factor;
        }
        long divisor = 1;
        for (int i = 9; i < power; i++) {
            if (i - 9 == 18) {
                return 0;
            }
            divisor *= 10;
        }
        return Long.divideUnsigned(ticks, divisor);
    }
}
