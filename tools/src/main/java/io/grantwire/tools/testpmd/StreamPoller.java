package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.lcore.PollLoop;
import io.grantwire.tools.testpmd.fwd.ForwardEngine;
import io.grantwire.tools.testpmd.fwd.Stream;
import java.util.List;

/** One lcore's loop: forwards some streams in turn. */
final class StreamPoller implements PollLoop {
    private final ForwardEngine engine;
    private final Stream[] streams;
    private final List<EthDevice> devices;

    /**
     * @param devices that the streams use
     */
    StreamPoller(ForwardEngine engine, List<Stream> streams, List<EthDevice> devices) {
        this.engine = engine;
        this.streams = streams.toArray(Stream[]::new);
        this.devices = List.copyOf(devices);
    }

    @Override
    public int poll() {
        int work = 0;
        for (Stream stream : streams) {
            work += engine.forward(stream);
        }
        return work;
    }

    /**
     * A card was pulled out while its registers were written to: the others go on. Frames that were
     * between two ports at that moment are lost.
     */
    @Override
    public boolean survives(InternalError fault) {
        boolean gone = false;
        for (EthDevice device : devices) {
            device.link();
            gone |= device.isGone();
        }
        return gone;
    }
}
