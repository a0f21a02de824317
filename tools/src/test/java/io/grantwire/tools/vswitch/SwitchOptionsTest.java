package io.grantwire.tools.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.tools.InProcess;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong options of the switch are told in the original's words, and nothing is started. */
class SwitchOptionsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "-p zz~Invalid portmask: zz",
                "-p 0~Invalid portmask: 0",
                "-p 3~Current enabled port number is 2, but only 1 port can be enabled (give more"
                        + " wires with --uplink)",
                "-p 1 --vm2vm 2~Invalid argument for vm2vm [0|1]: 2",
                "-c f -n 3 --xen-dom0 -- -p 1 --vm2vm x~Invalid argument for vm2vm [0|1]: x",
                "-p 1 --stats -1~Invalid argument for stats [0..N]: -1",
                "-p 1 --stats x~Invalid argument for stats [0..N]: x",
                "-p 1 --flood 7~Invalid argument for flood [0|1]: 7",
                "-p 1 --vlan-strip no~Invalid argument for vlan-strip [0|1]: no",
                "-p 1 --wire-tag red~Invalid argument for wire-tag [vlan|zero|none]: red",
                "-p 1 --mac VM1~--mac: 'VM1' is not of the form WHO=MAC[,MAC...]",
                "-p 1 --mac VM1=x~--mac: 'x' is not a MAC address; write it as 00:11:22:33:44:55",
                "-p 1 --mac 1=ff:ff:ff:ff:ff:ff~--mac: ff:ff:ff:ff:ff:ff is no station's address",
                "-p 1 --mac 1=00:00:00:00:00:01 --mac 2=0:0:0:0:0:1~--mac: 0:0:0:0:0:1 is given to"
                        + " 1 and to 2",
                "-p 1 --rx-retry ever~Invalid argument for rx-retry [0..3600000]: ever",
                "-p 1 --rx-usecs 1001~Invalid argument for rx-usecs [0..1000]: 1001",
                "-p 1 --rx-usecs -1~Invalid argument for rx-usecs [0..1000]: -1",
                "-p 1 --uplink pigeon:x~uplink 'pigeon:x' is none of the forms pcap:in=FILE,out=FILE,"
                        + " tap:NAME, af_packet:IFACE, pci:BDF, xenvirt:DOMID or null",
                "-c 1 -- -p 1~Not enough cores: the lowest one monitors, so give at least two (-c 3)",
                "--xen --emulated~--xen goes neither with --emulated nor with --dir"
            })
    void areWrongUsage(String options, String message) {
        InProcess.Result result = InProcess.run(("switch " + options).split(" "));
        assertEquals("grantwire switch: " + message + "\n", result.err());
        assertEquals(2, result.status());
        assertEquals("", result.out());
    }
}
