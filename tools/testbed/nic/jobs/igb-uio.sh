# shellcheck shell=sh disable=SC2154
# 10,000 frames in and out of igb, through uio_pci_generic.
exchange igb0 uio_pci_generic
