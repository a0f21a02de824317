package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Mapping;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machine frames of a fabricated paravirtualized domain. */
class KernelCoreTest {
    private static final long TEXT = 0xffff_ffff_8100_0000L;
    private static final long TABLE = 0xffff_c900_0000_0000L;
    private static final int HEADERS = 64;
    private static final int TEXT_AT = 0x400;
    private static final int TABLE_AT = 0x800;
    private static final int NOTE = 4;
    private static final int LOAD = 1;

    @TempDir Path dir;

    private ByteBuffer image;
    private Path kcore;
    private Path kallsyms;

    @BeforeEach
    void fabricate() throws IOException {
        image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        image.putLong(32, HEADERS).putShort(54, (short) 56).putShort(56, (short) 3);
        program(0, NOTE, 0x200, 0, 0x100);
        program(1, LOAD, TEXT_AT, TEXT, 0x100);
        program(2, LOAD, TABLE_AT, TABLE, 0x100);
        // The variable, and its table.
        image.putLong(TEXT_AT + 0x40, TABLE);
        image.putLong(TABLE_AT, 0x1234)
                .putLong(TABLE_AT + 8, -1)
                .putLong(TABLE_AT + 16, 1L << 63 | 5);
        image.putLong(TABLE_AT + 24, 1L << 62 | 0xfee00);
        kcore = dir.resolve("kcore");
        kallsyms = dir.resolve("kallsyms");
        Files.writeString(
                kallsyms,
                "ffffffff81000000 T _stext\n"
                        + "ffffffff81000040 D xen_p2m_addr\n"
                        + "ffffffff81000048 d xen_p2m_addr_other\t[module]\n");
        write();
    }

    private void program(int index, int type, long offset, long address, long bytes) {
        int at = HEADERS + index * 56;
        image.putInt(at, type).putLong(at + 8, offset).putLong(at + 16, address);
        image.putLong(at + 32, bytes).putLong(at + 40, bytes);
    }

    private void write() throws IOException {
        Files.write(kcore, image.array());
    }

    /** Pages at multiples of the page size are frames of the same number. */
    private XenFrames open() {
        FrameTable same =
                new FrameTable() {
                    @Override
                    public long frameOf(long address) {
                        return address / Mapping.pageSize();
                    }

                    @Override
                    public String description() {
                        return "";
                    }
                };
        return XenFrames.open(same, kallsyms, kcore);
    }

    private long frame(long number) {
        return open().frameOf(number * Mapping.pageSize());
    }

    @Test
    void aFrameIsLookedUpInTheKernelsTable() {
        assertEquals(0x1234, frame(0));
        assertEquals(0xfee00, frame(3));
    }

    @Test
    void framesOfOthersAndNobodyAreRefused() {
        assertTrue(
                assertThrows(PciException.class, () -> frame(1)).getMessage().contains("EFAULT"));
        assertTrue(
                assertThrows(PciException.class, () -> frame(2)).getMessage().contains("EFAULT"));
    }

    @Test
    void beyondTheTableThereIsNothing() {
        PciException e = assertThrows(PciException.class, () -> frame(32));
        assertTrue(e.getMessage().contains("has nothing at 0xffffc90000000100"), e.getMessage());
        assertThrows(PciException.class, () -> frame(Long.MAX_VALUE / 4096));
    }

    @Test
    void symbolsAreFoundByTheirWholeName() throws IOException {
        assertEquals(OptionalLong.of(TEXT), KernelCore.symbol(kallsyms, "_stext"));
        assertEquals(OptionalLong.empty(), KernelCore.symbol(kallsyms, "xen_p2m"));
    }

    @Test
    void aHiddenSymbolSaysWhoMaySeeIt() throws IOException {
        Files.writeString(kallsyms, "0000000000000000 D xen_p2m_addr\n");
        PciException e = assertThrows(PciException.class, this::open);
        assertTrue(e.getMessage().contains("EPERM") && e.getMessage().contains("run as root"));
    }

    @Test
    void filesThatAreSomethingElseAreRefused() throws IOException {
        byte[] good = image.array().clone();
        int[][] changes = {{0, 0}, {4, 1}, {5, 2}, {32, 0}, {54, 8}, {57, 0x70}};
        for (int[] change : changes) {
            image.put(0, good);
            image.put(change[0], (byte) change[1]);
            write();
            assertThrows(PciException.class, this::open, "byte " + change[0]);
        }
        Files.write(kcore, new byte[10]);
        assertThrows(PciException.class, this::open);
        Files.delete(kcore);
        assertThrows(PciException.class, this::open);
    }

    @Test
    void headersThatLeadOutsideEndInAnError() throws IOException {
        program(1, LOAD, Long.MAX_VALUE, TEXT, 0x100);
        write();
        assertThrows(PciException.class, this::open);
        program(1, LOAD, -1, TEXT, 0x100);
        write();
        assertThrows(PciException.class, this::open);
        program(1, LOAD, TEXT_AT, TEXT, -1);
        write();
        assertThrows(PciException.class, this::open);
    }

    @Test
    void aParavirtualizedDomainIsKnownBySysfs() throws IOException {
        assertFalse(XenFrames.isParavirtualized(dir));
        Files.createDirectories(dir.resolve("hypervisor"));
        Files.writeString(dir.resolve("hypervisor/type"), "xen\n");
        Files.writeString(dir.resolve("hypervisor/guest_type"), "HVM\n");
        assertFalse(XenFrames.isParavirtualized(dir));
        Files.writeString(dir.resolve("hypervisor/guest_type"), "PV\n");
        assertTrue(XenFrames.isParavirtualized(dir));
    }
}
