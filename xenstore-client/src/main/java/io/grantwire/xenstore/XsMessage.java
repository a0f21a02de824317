package io.grantwire.xenstore;

/**
 * One message of the wire protocol, as it came from a peer.
 *
 * @param type the number in the header; {@link XsType#of} gives its meaning, if it has one
 * @param reqId chosen by the requester, echoed in the reply; 0 in watch events
 * @param txId the transaction, 0 for none
 * @param payload what follows the header, at most {@link XsWire#PAYLOAD_MAX} bytes; owned by the
 *     receiver of this record, not copied
 */
public record XsMessage(int type, int reqId, int txId, byte[] payload) {

    /** Whether the message is of this type. */
    public boolean is(XsType expected) {
        return type == expected.code();
    }

    /** The header's fields and the payload's length; the payload itself is left out. */
    @Override
    public String toString() {
        return XsType.nameOf(type)
                + " req "
                + Integer.toUnsignedString(reqId)
                + " tx "
                + Integer.toUnsignedString(txId)
                + " len "
                + payload.length;
    }
}
