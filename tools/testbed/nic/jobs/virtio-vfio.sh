# shellcheck shell=sh disable=SC2154
# 10,000 frames in and out of virtio, through vfio-pci.
exchange virtio0 vfio-pci
