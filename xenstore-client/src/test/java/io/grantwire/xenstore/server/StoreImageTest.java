package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StoreImageTest {
    private final StoreFixture fixture = new StoreFixture();
    private final StoreFixture.Client dom0 = fixture.client(0);

    private byte[] image() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StoreImage.write(fixture.store.tree(), out);
        return out.toByteArray();
    }

    private static Tree read(byte[] image) throws IOException {
        long[] generation = {0};
        return StoreImage.read(new ByteArrayInputStream(image), () -> ++generation[0]);
    }

    private void fill() {
        dom0.write("/local/domain/5/data/x", "v\0\u00ff");
        dom0.write("/local/domain/5/name", "guest");
        dom0.permit("/local/domain/5/data", "n5", "r6", "b7", "w8");
        dom0.permit("@releaseDomain", "n0", "r5");
    }

    @Test
    void whatWasWrittenComesBack() throws IOException {
        fill();
        Tree back = read(image());
        StoreFixture other = new StoreFixture();
        other.store.restore(back);
        StoreFixture.Client host = other.client(0);
        assertEquals("v|\u00ff", host.read("/local/domain/5/data/x"));
        assertEquals(
                "n5|r6|b7|w8|",
                host.ask(io.grantwire.xenstore.XsType.GET_PERMS, "/local/domain/5/data"));
        assertEquals("n0|r5|", host.ask(io.grantwire.xenstore.XsType.GET_PERMS, "@releaseDomain"));
        assertEquals(
                "data|name|", host.ask(io.grantwire.xenstore.XsType.DIRECTORY, "/local/domain/5"));
        assertEquals(fixture.store.tree().usage(), back.usage());
    }

    @Test
    void aRestoreIsAConflictForOpenTransactions() throws IOException {
        fill();
        byte[] image = image();
        int tx = dom0.begin();
        dom0.writeIn(tx, "/a", "");
        fixture.store.restore(read(image));
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void everyShortenedImageIsRefused() throws IOException {
        fill();
        byte[] image = image();
        for (int n = 0; n < image.length; n++) {
            byte[] part = Arrays.copyOf(image, n);
            assertThrows(IOException.class, () -> read(part), "length " + n);
        }
        byte[] longer = Arrays.copyOf(image, image.length + 1);
        IOException e = assertThrows(IOException.class, () -> read(longer));
        assertTrue(e.getMessage().contains("follows its end"), e.getMessage());
    }

    @Test
    void damagedImagesAreRefusedOrRead() throws IOException {
        fill();
        byte[] image = image();
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            byte[] damaged = image.clone();
            damaged[random.nextInt(image.length)] = (byte) random.nextInt();
            try {
                read(damaged);
            } catch (IOException e) {
                assertTrue(e.getMessage().startsWith("not an image"), e.getMessage());
            }
        }
    }
}
