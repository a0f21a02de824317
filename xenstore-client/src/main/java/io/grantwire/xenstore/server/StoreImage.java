package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import io.grantwire.xenstore.XenstorePermission;
import io.grantwire.xenstore.XsWire;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * A tree as a stream of bytes: the number {@value #MAGIC}, a version, the special watches' nodes
 * and then the nodes from the root down, each with its name, permissions, value and number of
 * children. Numbers are big-endian. Generations are not kept: a restored node is a changed node.
 */
final class StoreImage {
    private static final int MAGIC = 0x47575853; // "GWXS"
    private static final int VERSION = 1;
    private static final int MAX_NODES = 1 << 22;
    private static final int READ_BIT = 1;
    private static final int WRITE_BIT = 2;

    private StoreImage() {}

    /** Writes a tree; the stream is flushed and stays open. */
    static void write(Tree tree, OutputStream to) throws IOException {
        DataOutputStream out = new DataOutputStream(to);
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        Map<String, Node> specials = tree.specials();
        out.writeInt(specials.size());
        for (Map.Entry<String, Node> special : specials.entrySet()) {
            write(special.getKey(), special.getValue(), out);
        }
        write("", tree.root(), out);
        out.flush();
    }

    private static void write(String name, Node node, DataOutputStream out) throws IOException {
        out.writeShort(name.length());
        out.writeBytes(name);
        out.writeShort(node.permissions().size());
        for (XenstorePermission p : node.permissions().entries()) {
            out.writeShort(p.domid());
            out.writeByte((p.read() ? READ_BIT : 0) | (p.write() ? WRITE_BIT : 0));
        }
        out.writeShort(node.value().length);
        out.write(node.value());
        Children children = node.children();
        out.writeInt(children.size());
        for (int i = 0; i < children.size(); i++) {
            write(children.name(i), children.node(i), out);
        }
    }

    /**
     * Reads a tree.
     *
     * @param generations gives every node a generation of its own
     * @throws IOException when the stream is no image, or a damaged one
     */
    static Tree read(InputStream from, LongSupplier generations) throws IOException {
        DataInputStream in = new DataInputStream(from);
        try {
            Tree tree = new Reader(in, generations).tree();
            Reader.check(in.read() < 0, "something follows its end");
            return tree;
        } catch (EOFException e) {
            throw new IOException("not an image of a xenstore: it ends too early", e);
        }
    }

    private static final class Reader {
        private final DataInputStream in;
        private final LongSupplier generations;
        private int nodes;

        Reader(DataInputStream in, LongSupplier generations) {
            this.in = in;
            this.generations = generations;
        }

        Tree tree() throws IOException {
            check(in.readInt() == MAGIC, "it does not begin as one");
            int version = in.readInt();
            check(version == VERSION, "version " + version + " is not known");
            Map<String, Node> specials = new HashMap<>();
            int count = in.readInt();
            check(count >= 0 && count <= 16, "too many special watches");
            for (int i = 0; i < count; i++) {
                String name = name();
                check(
                        XenstorePath.isSpecial(name) && XenstorePath.problemOrSpecial(name) == null,
                        "a special watch has a bad name");
                specials.put(name, node(name));
            }
            check(
                    specials.containsKey(XenstorePath.INTRODUCE_DOMAIN)
                            && specials.containsKey(XenstorePath.RELEASE_DOMAIN),
                    "a special watch is missing");
            check(name().isEmpty(), "the root has a name");
            return Tree.of(node("/"), specials);
        }

        private String name() throws IOException {
            int length = in.readUnsignedShort();
            check(length <= XenstorePath.ABSOLUTE_MAX, "a name is too long");
            return XsWire.text(exactly(length));
        }

        private byte[] exactly(int length) throws IOException {
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            return bytes;
        }

        private Node node(String path) throws IOException {
            check(++nodes <= MAX_NODES, "it has too many nodes");
            int entries = in.readUnsignedShort();
            check(entries > 0, "a node has no owner");
            List<XenstorePermission> permissions = new ArrayList<>();
            for (int i = 0; i < entries; i++) {
                int domid = in.readUnsignedShort();
                int bits = in.readUnsignedByte();
                permissions.add(
                        new XenstorePermission(
                                domid, (bits & READ_BIT) != 0, (bits & WRITE_BIT) != 0));
            }
            int length = in.readUnsignedShort();
            check(length <= XsWire.PAYLOAD_MAX, "a value is too long");
            byte[] value = exactly(length);
            int count = in.readInt();
            check(count >= 0 && count <= MAX_NODES, "a node has too many children");
            Children children = Children.NONE;
            for (int i = 0; i < count; i++) {
                String name = name();
                String child = XenstorePath.child(path, name);
                check(
                        !name.contains("/")
                                && XenstorePath.problem(child) == null
                                && children.get(name) == null,
                        "a node has a bad name");
                children = children.with(name, node(child));
            }
            return new Node(value, new Permissions(permissions), children, generations.getAsLong());
        }

        private static void check(boolean right, String otherwise) throws IOException {
            if (!right) {
                throw new IOException("not an image of a xenstore: " + otherwise);
            }
        }
    }
}
