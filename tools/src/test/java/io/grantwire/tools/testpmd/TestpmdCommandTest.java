package io.grantwire.tools.testpmd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.tools.InProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** testpmd in batch mode on devices that need nothing. */
class TestpmdCommandTest {
    @TempDir Path dir;

    private InProcess.Result batch(String... lines) throws IOException {
        Path file = dir.resolve("commands");
        Files.write(file, List.of(lines));
        return InProcess.run(
                "testpmd",
                "-c",
                "f",
                "-n",
                "4",
                "--no-pci",
                "--vdev=net_null0,no-rx=1",
                "--vdev=net_null1,no-rx=1",
                "--",
                "-i",
                "--cmdline-file=" + file);
    }

    @Test
    void showsWhatForwardingDid() throws IOException {
        InProcess.Result r =
                batch(
                        "set fwd mac retry",
                        "set eth-peer 1 00:00:00:00:00:AB",
                        "set burst 16",
                        "start tx_first 2",
                        "stop",
                        "quit");
        assertEquals(0, r.status(), r.out() + r.err());
        assertEquals("", r.err());
        inOrder(
                r.out(),
                "Configuring Port 0 (socket 0)\n",
                "Configuring Port 1 (socket 0)\n",
                "Checking link statuses...\n",
                "Port 1 Link Up - speed 10000 Mbps - full-duplex\n",
                "Done\n",
                "testpmd> set fwd mac retry\nSet mac packet forwarding mode with retry\n",
                "testpmd> set burst 16\nNumber of packets per burst set to 16\n",
                "mac packet forwarding with retry - ports=2 - cores=1 - streams=2 - NUMA support"
                        + " disabled, MP over anonymous pages disabled\n",
                "Logical Core 1 (socket 0) forwards packets on 2 streams:\n",
                "  RX P=0/Q=0 (socket 0) -> TX P=1/Q=0 (socket 0) peer=00:00:00:00:00:AB\n",
                "  RX P=1/Q=0 (socket 0) -> TX P=0/Q=0 (socket 0) peer=02:00:00:00:00:00\n",
                "packets/burst=16\n",
                "Telling cores to stop...\nWaiting for lcores to finish...\n",
                "Forward statistics for port 0  ",
                "TX-packets: 32             TX-dropped: 0             TX-total: 32\n",
                "Accumulated forward statistics for all ports",
                "TX-packets: 64             TX-dropped: 0             TX-total: 64\n",
                "\nDone.\n",
                "\nShutting down port 0...\n",
                "\nBye...\n");
    }

    @Test
    void portsStopStartAndClose() throws IOException {
        InProcess.Result r =
                batch(
                        "port stop 0",
                        "start",
                        "port start 0",
                        "start",
                        "port stop 1",
                        "stop",
                        "port close 1",
                        "port stop 1",
                        "port close 1",
                        "show port info 1",
                        "show port info all");
        assertEquals(1, r.status());
        inOrder(
                r.out(),
                "testpmd> port stop 0\nStopping ports...\nDone\n",
                "testpmd> start\nNot all ports were started (port start 0)\n",
                "testpmd> port start 0\nConfiguring Port 0 (socket 0)\n",
                "testpmd> port stop 1\nStopping ports...\nPlease remove port 1 from forwarding",
                "testpmd> port close 1\nClosing ports...\nPort 1 is not stopped",
                "testpmd> port close 1\nClosing ports...\nDone\n",
                "testpmd> show port info 1\nInvalid port 1\n",
                "Infos for port 0  ");
        assertEquals("grantwire testpmd: 4 commands failed\n", r.err());
    }

    @Test
    void showsItsConfiguration() throws IOException {
        InProcess.Result r =
                batch(
                        "set txpkts 64,128",
                        "show config txpkts",
                        "set nbcore 2",
                        "show config cores",
                        "set portlist 1",
                        "show config fwd",
                        "set default",
                        "show config fwd",
                        "set verbose 1",
                        "set promisc all on",
                        "show port info 0");
        assertEquals(0, r.status(), r.out() + r.err());
        inOrder(
                r.out(),
                "Number of segments: 2\nSegment sizes: 64,128\nSplit packet: off\n",
                "Number of forwarding cores set to 2\n",
                "List of forwarding lcores:  1  2\n",
                "ports=1 - cores=1 - streams=1",
                "  RX P=1/Q=0 (socket 0) -> TX P=1/Q=0 (socket 0)",
                "ports=2 - cores=1 - streams=2",
                "Change verbose level from 0 to 1\n",
                "Promiscuous mode: enabled\n");
    }

    @Test
    void clearsCounters() throws IOException {
        InProcess.Result r =
                batch("start tx_first", "stop", "clear port stats 0", "show port stats 0");
        assertEquals(0, r.status(), r.out() + r.err());
        inOrder(
                r.out(),
                "\n  NIC statistics for port 0 cleared\n",
                "NIC statistics for port 0",
                "TX-packets: 0          TX-errors: 0          TX-bytes:  0\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "--vdev=net_null0 -- --burst=0~--burst must be 1..512, not 0",
                "--vdev=net_null0 -- --burst=x~Invalid value for option '--burst': 'x' is not an"
                        + " int",
                "--vdev=net_null0 -- --forward-mode=fly~Invalid forward-mode 'fly': io, mac,"
                        + " macswap, flowgen, rxonly, txonly, csum, icmpecho",
                "--vdev=net_null0 -- --port-topology=ring~Invalid port-topology 'ring': paired,"
                        + " chained or loop",
                "--vdev=net_null0 -- --nb-cores=2~--nb-cores=2 needs that many lcores besides the"
                        + " main one; there is 1 (give more with -l)",
                "--vdev=net_null0 -- --eth-peer=0,00:11~Invalid eth-peer '0,00:11': '00:11' is not a"
                        + " MAC address; write it as 00:11:22:33:44:55",
                "--vdev=net_null0 -- --txpkts=20~--txpkts: Bad arguments: the first segment must"
                        + " hold the headers, 42 bytes",
                "-c 1 --vdev=net_null0~Not enough cores: one runs the commands, so give at least"
                        + " two (-l 0,1)",
                "-c 3 -l 0,1 --vdev=net_null0~Options -c, -l and --lcores exclude each other",
                "-i~Unknown option: '-i'",
                "--xen --dir /x --vdev=eth_xenvirt0~--xen goes neither with --emulated nor with"
                        + " --dir",
                "--vdev=eth_xenvirt0,mac=zz~'zz' is not a MAC address; write it as"
                        + " 00:11:22:33:44:55"
            })
    void wrongOptionsAreToldInOneLine(String options, String message) {
        InProcess.Result r = InProcess.run(("testpmd " + options).split(" "));
        assertEquals("grantwire testpmd: " + message + "\n", r.err());
        assertEquals(2, r.status());
        assertEquals("", r.out());
    }

    @Test
    void missingDevicesAndFilesAreToldInOneLine() {
        assertTrue(InProcess.run("testpmd").err().startsWith("grantwire testpmd: No ports: "));
        InProcess.Result r =
                InProcess.run(
                        "testpmd", "--vdev=net_null0", "--", "-i", "--cmdline-file=/no/such/file");
        assertEquals(1, r.status());
        assertEquals(
                "grantwire testpmd: cannot read the commands: /no/such/file: no such file or"
                        + " directory\n",
                r.err());
    }

    private static void inOrder(String text, String... parts) {
        int at = 0;
        for (String part : parts) {
            int found = text.indexOf(part, at);
            assertTrue(found >= 0, "after position " + at + " no '" + part + "' in\n" + text);
            at = found + part.length();
        }
    }
}
