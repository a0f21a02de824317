package io.grantwire.xenstore;

/**
 * Bytes that no xenstore peer should have sent: a payload over the limit, a string without its NUL,
 * a number that is none. After a bad header the stream has no known message boundary any more, so
 * the connection has to be given up; a bad payload spoils only its own message.
 */
public final class XsProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what is wrong, in one line
     */
    public XsProtocolException(String message) {
        super(message);
    }
}
