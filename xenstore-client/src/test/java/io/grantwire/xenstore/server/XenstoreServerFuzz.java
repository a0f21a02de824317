package io.grantwire.xenstore.server;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Whatever requests clients of several domains send in whatever order, each gets one reply that is
 * no internal error, the accounts fit the contents, and nothing stays behind when they have gone.
 * Runs over its corpus in every build; {@code JAZZER_FUZZ=1} searches for new inputs.
 *
 * <p>An input is a row of requests: client, type, transaction (one byte each), length of the
 * payload (two bytes, little-endian) and the payload.
 */
class XenstoreServerFuzz {
    private static final int HEAD = 5;

    @FuzzTest(maxDuration = "60s")
    void anyRequestsAreAnsweredAndAccountedFor(byte[] bytes) {
        StoreFixture fixture = new StoreFixture(StoreFixture.small());
        List<StoreFixture.Client> clients =
                List.of(fixture.client(0), fixture.client(5), fixture.client(6), fixture.client(0));
        StoreFixture.Client dom0 = clients.getFirst();
        dom0.ask(XsType.MKDIR, "/local/domain/5/data");
        dom0.permit("/local/domain/5", "n0", "r5");
        dom0.permit("/local/domain/5/data", "n5");

        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (in.remaining() >= HEAD) {
            StoreFixture.Client client = clients.get((in.get() & 0xff) % clients.size());
            int type = in.get() & 0xff;
            int tx = in.get() & 0xff;
            int length = Math.min(in.getShort() & 0xffff, in.remaining());
            byte[] payload = new byte[Math.min(length, XsWire.PAYLOAD_MAX)];
            in.get(payload);
            String reply = client.tell(new XsMessage(type, 1, tx, payload));
            check(!reply.equals("!EIO|"), "an internal error at type " + type);
            check(reply.length() <= XsWire.PAYLOAD_MAX + 1, "a reply over the limit");
        }
        check(accountsFit(fixture.store.tree()), "accounts do not fit the contents");

        for (StoreFixture.Client client : clients) {
            client.session.reset(fixture.store, fixture.watches);
            StoreDomain domain = client.session.domain();
            check(domain.heldBytes() >= 0 && domain.transactions() >= 0, "negative accounts");
        }
        for (StoreFixture.Client client : clients) {
            StoreDomain domain = client.session.domain();
            check(
                    domain.heldBytes() == 0 && domain.transactions() == 0 && domain.watches() == 0,
                    "something is left of domain " + domain.domid());
        }
        check(!fixture.store.othersInTransaction(-1), "a transaction is left");
    }

    private static boolean accountsFit(Tree tree) {
        return Tree.of(tree.root(), tree.specials()).usage().equals(tree.usage());
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
