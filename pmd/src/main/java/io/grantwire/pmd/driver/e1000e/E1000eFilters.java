package io.grantwire.pmd.driver.e1000e;

import static io.grantwire.pmd.driver.e1000e.E1000eRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.driver.pci.RssKey;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.net.MacAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which frames the card takes, and which queue they go to: receive addresses, VLANs, the
 * redirection table and key of RSS. It keeps what was asked for, and writes it again after each
 * reset. Control path; one thread at a time.
 */
final class E1000eFilters {
    private final CardRegisters card;

    /** The receive addresses, the card's own first. */
    private final List<MacAddress> addresses = new ArrayList<>();

    private final int[] vlans = new int[VFTA_WORDS];
    private final int[] table = new int[RETA_ENTRIES];
    private RssConfig rss = RssConfig.OFF;

    E1000eFilters(CardRegisters card, MacAddress own) {
        this.card = card;
        addresses.add(own);
    }

    // What is asked for.

    List<MacAddress> addresses() {
        return List.copyOf(addresses);
    }

    boolean isFull() {
        return addresses.size() == RA_COUNT;
    }

    void add(MacAddress address) {
        addresses.add(address);
        write(addresses.size() - 1);
    }

    /** Takes an address away; false when it is not there. */
    boolean remove(MacAddress address) {
        if (!addresses.remove(address)) {
            return false;
        }
        for (int i = 0; i <= addresses.size(); i++) {
            write(i);
        }
        return true;
    }

    void replaceOwn(MacAddress address) {
        addresses.set(0, address);
        write(0);
    }

    void setVlan(int vlan, boolean on) {
        int bit = 1 << (vlan & 31);
        int word = vlan >>> 5;
        vlans[word] = on ? vlans[word] | bit : vlans[word] & ~bit;
        card.write(VFTA + 4L * word, vlans[word]);
    }

    /** Forgets all VLANs. */
    void clearVlans() {
        Arrays.fill(vlans, 0);
    }

    RssConfig rss() {
        return rss;
    }

    void setRss(RssConfig config) {
        rss = new RssConfig(config.types(), RssKey.orUsual(config.key()));
        writeRss();
    }

    int[] table() {
        return table.clone();
    }

    void setTable(int[] queues) {
        System.arraycopy(queues, 0, table, 0, table.length);
        writeTable();
    }

    /** The table that spreads evenly. */
    void spread(int queues) {
        for (int i = 0; i < table.length; i++) {
            table[i] = i % queues;
        }
    }

    // What the card is told.

    /** Writes everything, after a reset. */
    void writeAll() {
        for (int i = 0; i < RA_COUNT; i++) {
            write(i);
        }
        for (int i = 0; i < VFTA_WORDS; i++) {
            card.write(VFTA + 4L * i, vlans[i]);
        }
        writeTable();
        writeRss();
    }

    /** Receive address i (section 10.2.5, RAL and RAH): the low half first, then it is valid. */
    private void write(int i) {
        long low = 0;
        int high = 0;
        if (i < addresses.size()) {
            byte[] bytes = addresses.get(i).bytes();
            for (int k = 0; k < 4; k++) {
                low |= (bytes[k] & 0xFFL) << 8 * k;
            }
            high = bytes[4] & 0xFF | (bytes[5] & 0xFF) << 8 | RAH_AV;
        }
        card.write(RAL + (long) RA_STRIDE * i, (int) low);
        card.write(RAH + (long) RA_STRIDE * i, high);
    }

    /** Four entries to a register, the queue in each one's bit 7 (section 7.1.11). */
    private void writeTable() {
        for (int i = 0; i < RETA_ENTRIES; i += 4) {
            int word = 0;
            for (int k = 0; k < 4; k++) {
                word |= table[i + k] << RETA_QUEUE_SHIFT + 8 * k;
            }
            card.write(RETA + i, word);
        }
    }

    private void writeRss() {
        byte[] key = rss.key();
        for (int i = 0; i < key.length; i += 4) {
            int word = 0;
            for (int k = 0; k < 4; k++) {
                word |= (key[i + k] & 0xFF) << 8 * k;
            }
            card.write(RSSRK + i, word);
        }
        int mrqc = 0;
        for (RssType type : rss.types()) {
            mrqc |=
                    switch (type) {
                        case IPV4 -> MRQC_IPV4;
                        case TCP_IPV4 -> MRQC_TCP_IPV4;
                        case IPV6 -> MRQC_IPV6;
                        case TCP_IPV6 -> MRQC_TCP_IPV6;
                        // The device refuses what the card cannot hash.
                        case UDP_IPV4, UDP_IPV6 -> 0;
                    };
        }
        card.write(MRQC, mrqc == 0 ? 0 : mrqc | MRQC_RSS);
    }
}
