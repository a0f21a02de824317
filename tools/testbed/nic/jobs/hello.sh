# shellcheck shell=sh disable=SC2154
# The shortest proof that the bed works: it boots, Grantwire runs, and sees the cards and the IOMMU.
check "doctor ends in order" grantwire doctor
check "the wire answers" wire ping
for card in igb0 igb1 e1000e0 e1000e1 virtio0 virtio1; do
    check "$card binds to vfio-pci" bind $card vfio-pci
    check "$card binds to uio_pci_generic" bind $card uio_pci_generic
done
