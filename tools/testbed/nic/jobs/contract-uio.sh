# shellcheck shell=sh disable=SC2154
# The PCI device seam on UIO: its contract test on each card, then interrupts, DMA, a card that goes.
contract igb0 uio_pci_generic 0 5
contract e1000e0 uio_pci_generic 0 5
contract virtio0 uio_pci_generic 4 0
device_checks igb0 uio_pci_generic interrupts
device_checks e1000e0 uio_pci_generic interrupts
device_checks e1000e0 uio_pci_generic dma
device_checks e1000e0 uio_pci_generic gone
