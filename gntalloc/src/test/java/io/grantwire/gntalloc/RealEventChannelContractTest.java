package io.grantwire.gntalloc;

/** evtchn of this machine, a domain talking to itself through two opens. */
class RealEventChannelContractTest extends EventChannelContractTest {
    @Override
    protected Pair open() {
        RealXen.assume(EvtchnDevice.unavailable());
        int self = RealXen.domid();
        return new Pair(EvtchnDevice.open(), self, EvtchnDevice.open(), self);
    }
}
