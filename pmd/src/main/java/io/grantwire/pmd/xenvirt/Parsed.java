package io.grantwire.pmd.xenvirt;

import java.util.Objects;

/**
 * What came of parsing a value that a peer wrote: the value, or why it was refused.
 *
 * @param <T> the value's type
 */
public sealed interface Parsed<T> {
    /**
     * A good value.
     *
     * @param value the value
     */
    record Ok<T>(T value) implements Parsed<T> {
        /** Checks that there is a value. */
        public Ok {
            Objects.requireNonNull(value);
        }
    }

    /**
     * A refused one.
     *
     * @param reason why, for people; what the peer wrote appears in it shortened and printable
     */
    record Bad<T>(String reason) implements Parsed<T> {
        /** Checks that there is a reason. */
        public Bad {
            Objects.requireNonNull(reason);
        }
    }

    /** A good value. */
    static <T> Parsed<T> ok(T value) {
        return new Ok<>(value);
    }

    /** A refusal. */
    static <T> Parsed<T> bad(String reason) {
        return new Bad<>(reason);
    }

    /** Whether it is a good value. */
    default boolean isOk() {
        return this instanceof Ok;
    }

    /** The value. Throws {@link IllegalArgumentException} with the reason when it was refused. */
    default T orThrow() {
        return switch (this) {
            case Ok<T>(T value) -> value;
            case Bad<T>(String reason) -> throw new IllegalArgumentException(reason);
        };
    }
}
