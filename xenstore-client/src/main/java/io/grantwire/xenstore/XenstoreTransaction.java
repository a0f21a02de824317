package io.grantwire.xenstore;

import java.util.List;

/**
 * A consistent view of the store inside one {@link Xenstore#transaction}. Only valid during the
 * body it was handed to, on the thread that runs it. The methods mean what their namesakes in
 * {@link Xenstore} mean.
 */
public interface XenstoreTransaction {
    byte[] read(String path);

    String readString(String path);

    void write(String path, byte[] value);

    void write(String path, String value);

    void mkdir(String path);

    void rm(String path);

    List<String> directory(String path);

    boolean exists(String path);

    List<XenstorePermission> permissions(String path);

    void setPermissions(String path, List<XenstorePermission> permissions);
}
