# shellcheck shell=sh disable=SC2154
# 10,000 frames in and out of e1000e, through vfio-pci.
exchange e1000e0 vfio-pci
