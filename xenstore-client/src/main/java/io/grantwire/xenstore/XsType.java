package io.grantwire.xenstore;

/**
 * The message types of the xenstore wire protocol, with the numbers and names of {@code enum
 * xsd_sockmsg_type} in {@code xen/include/public/io/xs_wire.h}.
 */
public enum XsType {
    CONTROL(0),
    DIRECTORY(1),
    READ(2),
    GET_PERMS(3),
    WATCH(4),
    UNWATCH(5),
    TRANSACTION_START(6),
    TRANSACTION_END(7),
    INTRODUCE(8),
    RELEASE(9),
    GET_DOMAIN_PATH(10),
    WRITE(11),
    MKDIR(12),
    RM(13),
    SET_PERMS(14),
    /** Sent by the server only: something below a watched path changed. */
    WATCH_EVENT(15),
    /** Sent by the server only: the request failed; the payload is the errno's name. */
    ERROR(16),
    IS_DOMAIN_INTRODUCED(17),
    RESUME(18),
    SET_TARGET(19),
    // 20 was RESTRICT; it is not to be used again.
    RESET_WATCHES(21),
    DIRECTORY_PART(22),
    GET_FEATURE(23),
    SET_FEATURE(24),
    GET_QUOTA(25),
    SET_QUOTA(26);

    private static final XsType[] BY_CODE = new XsType[27];

    static {
        for (XsType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final int code;

    XsType(int code) {
        this.code = code;
    }

    /** The number on the wire. */
    public int code() {
        return code;
    }

    /** The type with this number, or null when the protocol has none. */
    public static XsType of(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }

    /** The type's name, or {@code type <number>} for a number the protocol does not know. */
    public static String nameOf(int code) {
        XsType type = of(code);
        return type == null ? "type " + Integer.toUnsignedString(code) : type.name();
    }
}
