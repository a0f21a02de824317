package io.grantwire.gntalloc;

import io.grantwire.bindings.NativeException;

/** Says a failed call's meaning instead of its number. */
final class NativeFailure {
    private NativeFailure() {}

    /** The failure under another name; with its own hint when there is no better one. */
    static NativeException of(String call, NativeException cause, String hint) {
        String advice = hint == null ? cause.hint() : hint;
        NativeException e = new NativeException(call, cause.errno(), advice);
        e.initCause(cause);
        return e;
    }
}
