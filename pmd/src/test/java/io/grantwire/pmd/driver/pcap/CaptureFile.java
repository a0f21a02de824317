package io.grantwire.pmd.driver.pcap;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes capture files byte by byte, sound ones and damaged ones. */
final class CaptureFile {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final ByteOrder order;

    CaptureFile(ByteOrder order) {
        this.order = order;
    }

    static CaptureFile classic(ByteOrder order, int magic, int linkType) {
        return new CaptureFile(order)
                .u32(magic)
                .u16(2)
                .u16(4)
                .u32(0)
                .u32(0)
                .u32(262_144)
                .u32(linkType);
    }

    static CaptureFile micros() {
        return classic(ByteOrder.LITTLE_ENDIAN, PcapFormat.MAGIC_MICROS, 1);
    }

    static CaptureFile ng(ByteOrder order) {
        return new CaptureFile(order).section();
    }

    CaptureFile u8(int v) {
        bytes.write(v);
        return this;
    }

    CaptureFile u16(int v) {
        return raw(ByteBuffer.allocate(2).order(order).putShort((short) v).array());
    }

    CaptureFile u32(int v) {
        return raw(ByteBuffer.allocate(4).order(order).putInt(v).array());
    }

    CaptureFile u64(long v) {
        return raw(ByteBuffer.allocate(8).order(order).putLong(v).array());
    }

    CaptureFile raw(byte... b) {
        bytes.writeBytes(b);
        return this;
    }

    CaptureFile record(int seconds, int fraction, int original, byte... data) {
        return u32(seconds).u32(fraction).u32(data.length).u32(original).raw(data);
    }

    /** A whole classic record at second 1. */
    CaptureFile record(byte... data) {
        return record(1, 0, data.length, data);
    }

    CaptureFile section() {
        return block(
                PcapFormat.BLOCK_SECTION,
                body().u32(PcapFormat.BYTE_ORDER_MAGIC).u16(1).u16(0).u64(-1));
    }

    CaptureFile body() {
        return new CaptureFile(order);
    }

    CaptureFile block(int type, CaptureFile body) {
        while (body.bytes.size() % 4 != 0) {
            body.u8(0);
        }
        int length = body.bytes.size() + 12;
        return u32(type).u32(length).raw(body.bytes.toByteArray()).u32(length);
    }

    CaptureFile nic(int linkType, int snapLength, CaptureFile options) {
        return block(
                PcapFormat.BLOCK_INTERFACE,
                body().u16(linkType).u16(0).u32(snapLength).raw(options.bytes.toByteArray()));
    }

    CaptureFile nic(int linkType) {
        return nic(linkType, 0, body());
    }

    CaptureFile resolution(int value) {
        return u16(PcapFormat.OPTION_TSRESOL).u16(1).u8(value).u8(0).u8(0).u8(0);
    }

    CaptureFile enhanced(int nic, long ticks, int original, byte... data) {
        return block(
                PcapFormat.BLOCK_ENHANCED_PACKET,
                body().u32(nic)
                        .u32((int) (ticks >>> 32))
                        .u32((int) ticks)
                        .u32(data.length)
                        .u32(original)
                        .raw(data));
    }

    CaptureFile simple(int original, byte... data) {
        return block(PcapFormat.BLOCK_SIMPLE_PACKET, body().u32(original).raw(data));
    }

    Path write(Path dir, String name) throws IOException {
        return Files.write(dir.resolve(name), bytes.toByteArray());
    }

    /** A frame whose bytes tell it from others. */
    static byte[] frame(int size, int tag) {
        byte[] f = new byte[size];
        for (int i = 0; i < size; i++) {
            f[i] = (byte) (i < 12 ? (i % 6 == 0 ? 2 : i) : tag * 31 + i);
        }
        return f;
    }
}
