package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An emulated host with one guest, and short ways to do what most tests do. */
final class EmulatedRig implements AutoCloseable {
    final Path dir;
    final EmulatedHost host;
    final Domain dom0;
    final Domain guest;

    EmulatedRig() throws IOException {
        Path parent = Files.createTempDirectory("gw");
        dir = parent.resolve("h");
        host = EmulatedHost.start(dir);
        dom0 = Domains.open(DomainOptions.emulatedControl(dir));
        guest = Domains.open(DomainOptions.emulatedGuest(dir, "VM1"));
    }

    EthDevice probe(String text) {
        return EthDrivers.probe(text, () -> guest);
    }

    Mempool pool(int count) {
        return XenvirtMempools.create(
                guest, "granted", count, Mempool.DEFAULT_DATA_ROOM, Math.min(count / 4, 256));
    }

    List<String> keys() {
        return dom0.xenstore().directory("/local/domain/" + guest.domid() + "/control/dpdk");
    }

    String key(String name) {
        return dom0.xenstore()
                .readString("/local/domain/" + guest.domid() + "/control/dpdk/" + name);
    }

    static byte[] bytes(int m) {
        return Mbuf.segment(m)
                .asSlice(Mbuf.offset(m), Mbuf.dataLen(m))
                .toArray(ValueLayout.JAVA_BYTE);
    }

    /** One receive burst, as bytes; the mbufs are freed. */
    static List<byte[]> receive(EthDevice device) {
        int[] burst = new int[64];
        int n = device.rxBurst(0, burst, 0, burst.length);
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            frames.add(bytes(burst[i]));
            Mbuf.free(burst[i]);
        }
        return frames;
    }

    @Override
    public void close() throws IOException {
        guest.close();
        dom0.close();
        host.close();
        Files.delete(dir.getParent());
    }
}
