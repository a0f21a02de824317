package io.grantwire.gntalloc;

/** gntalloc and gntdev of this machine, a domain granting to itself. */
class RealGrantContractTest extends GrantContractTest {
    @Override
    protected Pair open() {
        RealXen.assume(GntallocSharer.unavailable());
        RealXen.assume(GntdevMapper.unavailable());
        int self = RealXen.domid();
        return new Pair(GntallocSharer.open(), self, GntdevMapper.open(), self);
    }
}
