# shellcheck shell=sh
# What jobs have to work with, inside the guest.
passed=0
failed=0

# Cards by name: where each one is.
bdf_of() {
    case $1 in
        igb0) echo 0000:00:04.0 ;;
        igb1) echo 0000:00:06.0 ;;
        e1000e0) echo 0000:00:05.0 ;;
        e1000e1) echo 0000:00:07.0 ;;
        virtio0) echo 0000:00:08.0 ;;
        virtio1) echo 0000:00:09.0 ;;
        *) echo "$1" ;;
    esac
}
mac_of() { printf '52:54:00:12:34:%s\n' "$(bdf_of "$1" | cut -c9-10)"; }

note() { echo "NOTE $*"; }
pass() { passed=$((passed + 1)); echo "PASS $*"; }
fail() { failed=$((failed + 1)); echo "FAIL $*"; }
# check WHAT COMMAND…: whether a command succeeds; what it prints is in the console's log.
check() {
    what=$1
    shift
    if "$@"; then pass "$what"; else fail "$what"; fi
}
verdict() { echo "END $passed passed, $failed failed"; }

# bind CARD DRIVER: vfio-pci, uio_pci_generic, or a kernel driver whose modules are loaded; none unbinds.
bind() {
    dev=/sys/bus/pci/devices/$(bdf_of "$1")
    [ ! -e "$dev/driver" ] || bdf_of "$1" >"$dev/driver/unbind"
    [ "$2" != none ] || return 0
    echo "$2" >"$dev/driver_override"
    bdf_of "$1" >/sys/bus/pci/drivers_probe
    echo >"$dev/driver_override"
    [ "$(basename "$(readlink "$dev/driver")")" = "$2" ] || { echo "$1 ($(bdf_of "$1")) was not bound to $2"; return 1; }
}
# Loads the cards' Linux drivers.
kernel_drivers() { while read -r module; do insmod "/modules/kernel/$module" 2>/dev/null; done </modules/kernel/list; }
interface_of() { basename "$(find "/sys/bus/pci/devices/$(bdf_of "$1")"/net "/sys/bus/pci/devices/$(bdf_of "$1")"/virtio*/net -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1)"; }

# wire WORD…: has the program outside do something, and prints its answer; fails unless it is "ok". See Control.java.
wire() {
    # A "go" may have come late, see init.
    answer=$(exec 3<>/dev/wire; echo "$*" >&3; grep -v -m 1 '^go$' <&3)
    echo "$answer"
    case $answer in ok*) return 0 ;; *) return 1 ;; esac
}
dma_faults() { dmesg | grep -cE 'DMAR: \[DMA (Read|Write)'; }

grantwire() {
    timeout 600 /opt/jre/bin/java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx160m -XX:-UsePerfData -Xshare:auto -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8 \
        --module-path /opt/grantwire/lib --enable-native-access=io.grantwire.bindings --illegal-native-access=deny \
        --module io.grantwire.tools/io.grantwire.tools.Main "$@"
}
# bed_java CLASS WORD…: a program of the bed, or any class on Grantwire's class path.
bed_java() {
    timeout "${limit:-900}" /opt/jre/bin/java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx160m -XX:-UsePerfData -Xshare:auto -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8 \
        -XX:SharedArchiveFile=/opt/grantwire/bed.jsa -Xlog:cds=off -Xlog:cds*=off -Xlog:aot=off -Xlog:aot*=off \
        --enable-native-access=ALL-UNNAMED -cp "$(printf '%s:' /opt/grantwire/lib/*.jar /opt/grantwire/bed/*.jar)" "$@"
}
# checks NAME COMMAND…: a program that prints PASS and FAIL lines, and ends with status 0 if all went well.
checks() {
    what=$1
    shift
    "$@" >/tmp/checks.log 2>&1
    status=$?
    while IFS= read -r line; do
        case $line in
            "PASS "*) pass "$what: ${line#PASS }" ;;
            "FAIL "*) fail "$what: ${line#FAIL }" ;;
            *) echo "  $line" ;;
        esac
    done </tmp/checks.log
    [ $status = 0 ] || fail "$what: the program ended with status $status"
}
# exchange CARD DRIVER [COUNT MIN MAX]: frames from outside through a card and a driver of Grantwire, and back.
exchange() {
    bind "$1" "$2" || { fail "$1 bound to $2"; return; }
    checks "$1 through $2" bed_java io.grantwire.bed.Exchange "$1" "pci:$(bdf_of "$1")" "${3:-10000}" "${4:-60}" "${5:-9018}"
}
# contract CARD DRIVER BAR ABSENT: the PCI device seam's contract test; a memory BAR that the card has, and one that it does not.
contract() {
    bind "$1" "$2" || { fail "$1 bound to $2"; return; }
    checks "$1 $2" bed_java -Dgrantwire.pci="$(bdf_of "$1"),$3,$4" io.grantwire.bed.ContractRunner io.grantwire.vfio.RealPciDeviceContractTest
}
# device_checks CARD DRIVER WHAT: what takes a card that can be told what to do.
device_checks() { checks "$1 $2 $3" bed_java io.grantwire.bed.DeviceChecks "$3" "$(bdf_of "$1")" "$1"; }
