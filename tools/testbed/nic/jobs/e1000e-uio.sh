# shellcheck shell=sh disable=SC2154
# 10,000 frames in and out of e1000e, through uio_pci_generic.
exchange e1000e0 uio_pci_generic
