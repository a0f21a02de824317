# shellcheck shell=sh disable=SC2154
# What igb does: frames of all sizes both ways, through vfio-pci and uio_pci_generic, then features, pools, restarts, two cards bridged.
for driver in vfio-pci uio_pci_generic; do
    exchange igb0 $driver
done
. /bed/jobs/igb-checks.sh
if [ "$(dma_faults)" = 0 ]; then pass "no DMA fault"; else fail "$(dma_faults) DMA faults"; fi
