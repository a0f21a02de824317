# shellcheck shell=sh disable=SC2154
# The PCI device seam on real kernel interfaces: its contract test on each card through VFIO and UIO, then what takes a card that can
# be told what to do.

# contract CARD DRIVER BAR ABSENT: a memory BAR that the card has, and one that it does not.
contract() {
    bind "$1" "$2" || { fail "$1 bound to $2"; return; }
    checks "$1 $2" bed_java -Dgrantwire.pci="$(bdf_of "$1"),$3,$4" io.grantwire.bed.ContractRunner io.grantwire.vfio.RealPciDeviceContractTest
}
device_checks() { checks "$1 $2 $3" bed_java io.grantwire.bed.DeviceChecks "$3" "$(bdf_of "$1")" "$1"; }

for driver in vfio-pci uio_pci_generic; do
    contract igb0 $driver 0 5
    contract e1000e0 $driver 0 5
    contract virtio0 $driver 4 0
    for card in igb0 e1000e0; do
        device_checks $card $driver interrupts
    done
    device_checks e1000e0 $driver dma
    [ $driver != vfio-pci ] || {
        device_checks e1000e0 $driver faults
        bind e1000e1 vfio-pci
        checks "two groups" bed_java io.grantwire.bed.DeviceChecks groups "$(bdf_of e1000e0)" e1000e0 "$(bdf_of e1000e1)" e1000e1
    }
    device_checks e1000e0 $driver gone
done
