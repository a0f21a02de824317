# shellcheck shell=sh
# Everything, in one boot. The contract comes last: its faults and removals are on purpose.
for part in hello igb igb-switch e1000e virtio testpmd contract; do
    note "$part"
    . "/bed/jobs/$part.sh"
done
