package io.grantwire.pmd.driver.pci;

import java.util.HexFormat;

/** The usual key of receive-side scaling. */
public final class RssKey {
    /** Bytes of a key. */
    public static final int SIZE = 40;

    /** From Microsoft's "Verifying the RSS Hash Calculation", which lists hashes made with it. */
    private static final byte[] USUAL =
            HexFormat.of()
                    .parseHex(
                            "6d5a56da255b0ec24167253d43a38fb0d0ca2bcb"
                                    + "ae7b30b477cb2da38030f20c6a42b73bbeac01fa");

    private RssKey() {}

    /** The usual key for a key that is empty, the key itself otherwise; a copy. */
    public static byte[] orUsual(byte[] key) {
        return key.length == 0 ? USUAL.clone() : key.clone();
    }
}
