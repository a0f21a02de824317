# shellcheck shell=sh disable=SC2154
# The bed itself, without drivers of Grantwire's: Linux drives the cards, and frames are received and sent back through AF_PACKET.
kernel_drivers
for card in igb0 e1000e0 virtio0; do
    case $card in
        igb*) bind $card igb ;;
        e1000e*) bind $card e1000e ;;
        virtio*) bind $card virtio-pci ;;
    esac
    interface=$(interface_of $card)
    # Nothing of the kernel's own on the wire.
    echo 1 >"/proc/sys/net/ipv6/conf/$interface/disable_ipv6" 2>/dev/null
    ip link set "$interface" up
    checks "$card through Linux" bed_java io.grantwire.bed.Exchange $card "net_af_packet0,iface=$interface" 1000 60 1514
done
