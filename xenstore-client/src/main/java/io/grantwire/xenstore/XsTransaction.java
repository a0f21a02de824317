package io.grantwire.xenstore;

import java.util.List;

/** The view that a transaction's body works on. */
final class XsTransaction implements XenstoreTransaction {
    private final XsClient client;
    private final int tx;
    private final Thread owner = Thread.currentThread();
    // Only the owner reads and writes it.
    private boolean ended;

    XsTransaction(XsClient client, int tx) {
        this.client = client;
        this.tx = tx;
    }

    /** From now on every method throws. */
    void end() {
        ended = true;
    }

    /** The id, if this is the time and the thread to use it. */
    private int tx() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException(
                    "a xenstore transaction belongs to the thread that runs its body");
        }
        if (ended) {
            throw new IllegalStateException("this xenstore transaction has ended");
        }
        return tx;
    }

    @Override
    public byte[] read(String path) {
        return client.read(tx(), path);
    }

    @Override
    public String readString(String path) {
        return client.readString(tx(), path);
    }

    @Override
    public void write(String path, byte[] value) {
        client.write(tx(), path, value);
    }

    @Override
    public void write(String path, String value) {
        client.write(tx(), path, value);
    }

    @Override
    public void mkdir(String path) {
        client.mkdir(tx(), path);
    }

    @Override
    public void rm(String path) {
        client.rm(tx(), path);
    }

    @Override
    public List<String> directory(String path) {
        return client.directory(tx(), path);
    }

    @Override
    public boolean exists(String path) {
        return client.exists(tx(), path);
    }

    @Override
    public List<XenstorePermission> permissions(String path) {
        return client.permissions(tx(), path);
    }

    @Override
    public void setPermissions(String path, List<XenstorePermission> permissions) {
        client.setPermissions(tx(), path, permissions);
    }
}
