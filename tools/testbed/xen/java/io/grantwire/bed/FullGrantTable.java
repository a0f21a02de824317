package io.grantwire.bed;

import io.grantwire.bindings.NativeException;
import io.grantwire.gntalloc.GntallocSharer;

/**
 * Shares pages in a guest until its grant table is full, while gntalloc's own limit allows more: the
 * refusal has to name what to raise.
 */
public final class FullGrantTable {
    private static final int PAGES = 500;

    private FullGrantTable() {}

    public static void main(String[] args) {
        String what = "more pages than the grant table has entries are refused, naming max_grant_frames";
        try (GntallocSharer sharer = GntallocSharer.open()) {
            int shared = 0;
            while (sharer.available() >= PAGES) {
                sharer.share(0, PAGES, true);
                shared += PAGES;
            }
            System.out.println("FAIL " + what + ": " + shared + " were shared");
        } catch (NativeException e) {
            boolean named = e.errnoName().equals("ENOSPC") && e.getMessage().contains("max_grant_frames");
            System.out.println((named ? "PASS " : "FAIL ") + what + (named ? "" : ": " + e.getMessage()));
        }
    }
}
