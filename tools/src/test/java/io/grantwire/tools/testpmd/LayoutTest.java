package io.grantwire.tools.testpmd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.tools.testpmd.layout.ForwardLayout;
import io.grantwire.tools.testpmd.layout.InfoLayout;
import io.grantwire.tools.testpmd.layout.StatsLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The layouts people and programs know from testpmd, letter by letter. */
class LayoutTest {
    @Test
    void portStats() {
        assertEquals(
                """

                  ######################## NIC statistics for port 0  ########################
                  RX-packets: 12         RX-missed: 3          RX-bytes:  768
                  RX-errors: 1
                  RX-nombuf:  2~~~~~~~~~
                  TX-packets: 11         TX-errors: 4          TX-bytes:  704

                  Throughput (since last show)
                  Rx-pps:          100
                  Tx-pps:           99
                  ############################################################################
                """
                        .replace('~', ' '),
                StatsLayout.port(0, new EthStats(12, 11, 768, 704, 3, 1, 4, 2), 100, 99));
    }

    @Test
    void extendedStats() {
        Map<String, Long> values = new LinkedHashMap<>();
        values.put("rx_good_packets", 7L);
        values.put("tx_q0_bytes", 8L);
        assertEquals(
                "###### NIC extended statistics for port 1~\nrx_good_packets: 7\ntx_q0_bytes: 8\n"
                        .replace('~', ' '),
                StatsLayout.xstats(1, values));
    }

    @Test
    void forwardStats() {
        StatsLayout.Forward f = new StatsLayout.Forward(10, 1, 0, 0, 8, 2);
        assertEquals(
                """

                  ---------------------- Forward statistics for port 0  ----------------------
                  RX-packets: 10             RX-dropped: 1             RX-total: 11
                  TX-packets: 8              TX-dropped: 2             TX-total: 10
                  ----------------------------------------------------------------------------
                """,
                StatsLayout.forward(0, f));
        assertEquals(
                """

                  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++
                  RX-packets: 20             RX-dropped: 2             RX-total: 22
                  TX-packets: 16             TX-dropped: 4             TX-total: 20
                  ++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++
                """,
                StatsLayout.accumulated(f.plus(f)));
    }

    @Test
    void forwardStatsShowErrorsWhenThereAreAny() {
        assertEquals(
                """

                  ---------------------- Forward statistics for port 12 ----------------------
                  RX-packets: 0              RX-dropped: 0             RX-total: 0
                  RX-error: 5
                  RX-nombufs: 6~~~~~~~~~~~~~
                  TX-packets: 0              TX-dropped: 0             TX-total: 0
                  ----------------------------------------------------------------------------
                """
                        .replace('~', ' '),
                StatsLayout.forward(12, new StatsLayout.Forward(0, 0, 5, 6, 0, 0)));
    }

    @Test
    void portInfo() {
        EthDeviceInfo info =
                new EthDeviceInfo(
                        "net_xenvirt",
                        1,
                        1,
                        256,
                        256,
                        128,
                        128,
                        1,
                        2048,
                        68,
                        1500,
                        1,
                        false,
                        false);
        assertEquals(
                """

                ********************* Infos for port 0  *********************
                MAC address: 00:00:00:00:00:AB
                Driver name: net_xenvirt
                Connect to socket: 0
                memory allocation on the socket: 0
                Link status: up
                Link speed: 10000 Mbps
                Link duplex: full-duplex
                MTU: 1500
                Promiscuous mode: enabled
                Allmulticast mode: disabled
                Maximum number of MAC addresses: 1
                Maximum number of MAC addresses of hash filtering: 0
                VLAN offload:~
                  strip off~
                  filter off~
                  qinq(extend) off~
                No flow type is supported.
                Max possible RX queues: 1
                Max possible number of RXDs per queue: 256
                Min possible number of RXDs per queue: 256
                RXDs number alignment: 1
                Max possible TX queues: 1
                Max possible number of TXDs per queue: 128
                Min possible number of TXDs per queue: 128
                TXDs number alignment: 1
                """
                        .replace('~', ' '),
                InfoLayout.port(
                        0,
                        "00:00:00:00:00:ab",
                        info,
                        new EthLink(true, 10_000, true),
                        1500,
                        true,
                        false,
                        InfoLayout.Nic.NONE));
    }

    @Test
    void linkLines() {
        assertEquals(
                "Port 0 Link Up - speed 10000 Mbps - full-duplex",
                InfoLayout.link(0, new EthLink(true, 10_000, true)));
        assertEquals("Port 1 Link Down", InfoLayout.link(1, new EthLink(false, 0, false)));
    }

    @Test
    void start() {
        ForwardLayout.Settings settings =
                new ForwardLayout.Settings(
                        "txonly", true, 64, 1, 32, true, 64, 1, 1, 1, 1, 128, 1, 512);
        assertEquals(
                """
                txonly packet forwarding with retry - ports=1 - cores=1 - streams=1 - NUMA support \
                disabled, MP over anonymous pages disabled
                TX retry num: 64, delay between TX retries: 1us
                Logical Core 1 (socket 0) forwards packets on 1 streams:
                  RX P=0/Q=0 (socket 0) -> TX P=0/Q=0 (socket 0) peer=02:00:00:00:00:0A

                """,
                ForwardLayout.forwarding(
                        settings,
                        List.of(
                                new ForwardLayout.CoreLine(
                                        1,
                                        List.of(
                                                new ForwardLayout.StreamLine(
                                                        0, 0, 0, 0x0200_0000_000aL))))));
        assertEquals(
                """
                  txonly packet forwarding with retry - CRC stripping enabled - packets/burst=32
                  packet len=64 - nb packet segments=1
                  nb forwarding cores=1 - nb forwarding ports=1
                  RX queues=1 - RX desc=128 - RX free threshold=0
                  RX threshold registers: pthresh=0 hthresh=0 wthresh=0
                  TX queues=1 - TX desc=512 - TX free threshold=0
                  TX threshold registers: pthresh=0 hthresh=0 wthresh=0
                  TX RS bit threshold=0 - TXQ flags=0x0
                """,
                ForwardLayout.rxtx(settings));
    }
}
