package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.driver.pci.RssKey;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import java.util.Map;

/**
 * Receive-side scaling (82576 datasheet 7.1.1.7): a Toeplitz hash over addresses and ports, whose
 * low seven bits pick one of 128 entries of the redirection table, each a queue.
 *
 * <p>Control path, one thread; what is set survives the card's reset here.
 */
final class IgbRss {
    static final int TABLE_SIZE = 128;

    /**
     * The fields of MRQC. For TCP over IPv6 both forms, the one that looks into extension headers
     * and the one that does not: they agree where there is no such header.
     */
    private static final Map<RssType, Integer> FIELDS =
            Map.of(
                    RssType.IPV4, MRQC_IPV4,
                    RssType.TCP_IPV4, MRQC_TCP_IPV4,
                    RssType.UDP_IPV4, MRQC_UDP_IPV4,
                    RssType.IPV6, MRQC_IPV6,
                    RssType.TCP_IPV6, MRQC_TCP_IPV6 | MRQC_TCP_IPV6_EX,
                    RssType.UDP_IPV6, MRQC_UDP_IPV6);

    private final CardRegisters registers;
    private final IgbFailures failures;
    private int queues = 1;

    /** Whether the card runs and spreads. */
    private boolean live;

    private RssConfig config = RssConfig.OFF;
    private int[] table = new int[TABLE_SIZE];

    IgbRss(CardRegisters registers, IgbFailures failures) {
        this.registers = registers;
        this.failures = failures;
    }

    /** Spreads over queues 0 to {@code count} - 1, evenly. */
    void configure(RssConfig wanted, int count) {
        queues = count;
        set(wanted);
        for (int i = 0; i < TABLE_SIZE; i++) {
            table[i] = i % count;
        }
    }

    void set(RssConfig wanted) {
        if (wanted.key().length != 0 && wanted.key().length != RssKey.SIZE) {
            throw failures.of("RSS", "EINVAL", "its key has " + RssKey.SIZE + " bytes");
        }
        config = new RssConfig(wanted.types(), RssKey.orUsual(wanted.key()));
        if (live) {
            apply();
        }
    }

    /** The card has been reset. */
    void stopped() {
        live = false;
    }

    RssConfig config() {
        return config;
    }

    void setTable(int[] wanted) {
        if (wanted.length != TABLE_SIZE) {
            throw failures.of(
                    "RSS table", "EINVAL", wanted.length + " entries, it has " + TABLE_SIZE);
        }
        for (int queue : wanted) {
            if (queue < 0 || queue >= queues) {
                throw failures.of("RSS table", "EINVAL", "there is no receive queue " + queue);
            }
        }
        table = wanted.clone();
        if (live) {
            apply();
        }
    }

    int[] table() {
        return table.clone();
    }

    /** Tells the card, which runs or is about to. */
    void apply() {
        live = true;
        byte[] key = config.key();
        for (int i = 0; i < RssKey.SIZE; i += 4) {
            registers.write(RSSRK + i, littleEndian(key, i));
        }
        for (int i = 0; i < TABLE_SIZE; i += 4) {
            registers.write(
                    RETA + i,
                    table[i] | table[i + 1] << 8 | table[i + 2] << 16 | table[i + 3] << 24);
        }
        int mrqc = 0;
        for (RssType type : config.types()) {
            mrqc |= FIELDS.get(type) | MRQC_RSS;
        }
        registers.write(MRQC, mrqc);
    }

    private static int littleEndian(byte[] bytes, int at) {
        return bytes[at] & 0xff
                | (bytes[at + 1] & 0xff) << 8
                | (bytes[at + 2] & 0xff) << 16
                | (bytes[at + 3] & 0xff) << 24;
    }
}
