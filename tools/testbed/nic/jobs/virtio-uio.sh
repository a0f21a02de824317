# shellcheck shell=sh disable=SC2154
# 10,000 frames in and out of virtio, through uio_pci_generic.
exchange virtio0 uio_pci_generic
