# shellcheck shell=sh disable=SC2154
# What e1000e does, through vfio-pci and uio_pci_generic: frames of all sizes both ways, features, restarts, two cards bridged.
for driver in vfio-pci uio_pci_generic; do
    exchange e1000e0 $driver
    checks "e1000e0 $driver" bed_java io.grantwire.bed.NicChecks e1000e0 "$(bdf_of e1000e0)" statistics vlan checksum wake rss restart
    bind e1000e1 $driver
    checks "e1000e0 and e1000e1 $driver" bed_java io.grantwire.bed.NicChecks e1000e0 "$(bdf_of e1000e0)" bridge e1000e1 "$(bdf_of e1000e1)"
done
if [ "$(dma_faults)" = 0 ]; then pass "no DMA fault"; else fail "$(dma_faults) DMA faults"; fi
