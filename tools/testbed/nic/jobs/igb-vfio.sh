# shellcheck shell=sh disable=SC2154
# 10,000 frames in and out of igb, through vfio-pci.
exchange igb0 vfio-pci
