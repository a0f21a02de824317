package io.grantwire.xenstore;

/**
 * One entry of a key's permission list, in the wire form {@code <letter><domid>}: {@code n} none,
 * {@code r} read, {@code w} write, {@code b} both. In the first entry of a list the domain is the
 * owner, who may do everything, and the letter is what all domains not listed may do.
 *
 * @param domid the domain the entry is about
 * @param read whether it may read the key
 * @param write whether it may write the key
 */
public record XenstorePermission(int domid, boolean read, boolean write) {

    /** Checks the domain id. */
    public XenstorePermission {
        if (domid < 0 || domid > 0xffff) {
            throw new IllegalArgumentException("domain id " + domid + " is not in 0..65535");
        }
    }

    /** Parses the wire form, for instance {@code b7}. */
    public static XenstorePermission parse(String text) {
        if (text.length() < 2 || text.length() > 6) {
            throw new IllegalArgumentException(
                    "not a permission (n, r, w or b, then a domain id): " + text);
        }
        int domid = 0;
        for (int i = 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                throw new IllegalArgumentException("not a domain id in permission: " + text);
            }
            domid = domid * 10 + (c - '0');
        }
        return switch (text.charAt(0)) {
            case 'n' -> new XenstorePermission(domid, false, false);
            case 'r' -> new XenstorePermission(domid, true, false);
            case 'w' -> new XenstorePermission(domid, false, true);
            case 'b' -> new XenstorePermission(domid, true, true);
            default ->
                    throw new IllegalArgumentException(
                            "not a permission letter (n, r, w, b): " + text);
        };
    }

    /** The wire form. */
    @Override
    public String toString() {
        char letter = read ? (write ? 'b' : 'r') : (write ? 'w' : 'n');
        return letter + Integer.toString(domid);
    }
}
