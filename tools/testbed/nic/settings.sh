# shellcheck shell=bash disable=SC2034
# Sourced by the other scripts: where things are, and the machine that QEMU emulates.
#
#   NIC_BED_JAVA   the JDK whose runtime goes into the guest
#   NIC_BED_CACHE  where built images are kept
set -euo pipefail

bed_name=nic
bed=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(readlink -f "$bed/../../..")
dist=$root/tools/target/dist/lib
dist_bed=$root/tools/target/dist/bed
suite=trixie
cache=${NIC_BED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/grantwire/nic}
# shellcheck source=../common.sh
. "$bed/../common.sh"

find_jdk() {
    jdk=${NIC_BED_JAVA:-${JAVA_HOME:-}}
    [ -x "${jdk:-/nonexistent}/bin/jlink" ] || die "no JDK to take the runtime from; start this through ./grantwire testbed, or set NIC_BED_JAVA to a JDK 25"
}

# The cards, in order of their place on the bus from 00:04.0 on, with addresses from 52:54:00:12:34:04 on.
# An igb keeps the sixteen functions 128 behind it for itself (SR-IOV): two of them need a place between them.
nics=(igb0 e1000e0 igb1 e1000e1 virtio0 virtio1)
first_slot=4

# The disk that carries Grantwire and the job in; a snapshot knows its size.
payload_bytes=$((96 << 20))

# One processor: with several, each in a thread of its own, QEMU 10 now and then sends an access to the local interrupt controller to
# the device beside it while the guest moves a card's registers (iotlb_to_section, system/physmem.c). The guest loses a timer and hangs
# minutes later, or QEMU ends on that function's assertion.
#
# What a snapshot and a later start from it must have in common. $1 the directory of the sockets, $2 the disk with the payload.
machine() {
    local i name model
    # shellcheck disable=SC2054 # commas are QEMU's
    machine=(
        -machine q35 -accel "tcg,thread=single" -cpu qemu64 -smp 1 -m 768M -nodefaults -no-user-config -display none -no-reboot
        -device intel-iommu,intremap=on
        -device "isa-debug-exit,iobase=0xf4,iosize=0x04"
        -drive "file=$2,format=raw,if=none,id=payload,readonly=on" -device "virtio-blk-pci,drive=payload,addr=2"
        -device "virtio-serial-pci,addr=3" -chardev "socket,id=wire,path=$1/wire,server=off" -device "virtserialport,chardev=wire,name=wire"
    )
    for i in "${!nics[@]}"; do
        name=${nics[i]}
        case $name in
            virtio*) model="virtio-net-pci,disable-legacy=on,iommu_platform=on,ats=on" ;;
            *) model=${name%[0-9]} ;;
        esac
        machine+=(
            -netdev "stream,id=$name,server=off,addr.type=unix,addr.path=$1/$name"
            -device "$model,id=card-$name,netdev=$name,mac=$(printf '52:54:00:12:34:%02x' $((first_slot + i))),addr=$(printf '%x' $((first_slot + i)))"
        )
    done
}
kernel_words="console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off intel_iommu=on iommu=pt hugepages=64"
