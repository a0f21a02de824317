package io.grantwire.tools.testpmd.fwd;

/** {@code io}: receives and sends untouched. */
final class IoEngine implements ForwardEngine {
    @Override
    public String name() {
        return "io";
    }

    @Override
    public int forward(Stream stream) {
        int n = stream.receive();
        if (n > 0) {
            stream.send(n);
        }
        return n;
    }
}
