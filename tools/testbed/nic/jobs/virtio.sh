# shellcheck shell=sh disable=SC2154
# What virtio-net does, through vfio-pci and uio_pci_generic: frames of all sizes both ways, features, restarts, two cards bridged.
for driver in vfio-pci uio_pci_generic; do
    exchange virtio0 $driver
    checks "virtio0 $driver" bed_java io.grantwire.bed.NicChecks virtio0 "$(bdf_of virtio0)" statistics vlan checksum wake restart
    bind virtio1 $driver
    checks "virtio0 and virtio1 $driver" bed_java io.grantwire.bed.NicChecks virtio0 "$(bdf_of virtio0)" bridge virtio1 "$(bdf_of virtio1)"
done
if [ "$(dma_faults)" = 0 ]; then pass "no DMA fault"; else fail "$(dma_faults) DMA faults"; fi
