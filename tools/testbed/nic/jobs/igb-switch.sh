# shellcheck shell=sh disable=SC2154
# The switch over igb cards, guests on an emulated host: the cards sort, or software does.
mount | grep -q ' /dev/shm ' || { mkdir -p /dev/shm; mount -t tmpfs tmpfs /dev/shm; }
for driver in vfio-pci uio_pci_generic; do
    for card in igb0 igb1; do
        check "$card binds to $driver" bind $card $driver
    done
    checks "a switch over two cards, $driver" bed_java io.grantwire.bed.SwitchChecks 1 igb0 "$(bdf_of igb0)" igb1 "$(bdf_of igb1)"
done
check "igb0 binds again" bind igb0 uio_pci_generic
checks "a switch that sorts in software" bed_java io.grantwire.bed.SwitchChecks 0 igb0 "$(bdf_of igb0)"
