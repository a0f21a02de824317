# shellcheck shell=sh disable=SC2154
# The PCI device seam on VFIO: its contract test on each card, then interrupts, DMA and its faults, two groups, a card that goes.
contract igb0 vfio-pci 0 5
contract e1000e0 vfio-pci 0 5
contract virtio0 vfio-pci 4 0
device_checks igb0 vfio-pci interrupts
device_checks e1000e0 vfio-pci interrupts
device_checks e1000e0 vfio-pci dma
device_checks e1000e0 vfio-pci faults
bind e1000e1 vfio-pci
checks "two groups" bed_java io.grantwire.bed.DeviceChecks groups "$(bdf_of e1000e0)" e1000e0 "$(bdf_of e1000e1)" e1000e1
device_checks e1000e0 vfio-pci gone
