# shellcheck shell=sh disable=SC2154
# testpmd on each card, as a person uses it: what it shows, what can be set, and frames through it.

# say LINE…: commands for testpmd, which reads them from descriptor 9.
say() { for line in "$@"; do echo "$line" >&9; done; }
# shown WHAT PATTERN: waits for a line of testpmd's output.
shown() {
    for _ in $(seq 300); do
        grep -q "$2" /tmp/testpmd.log && break
        sleep 0.2
    done
    check "$card: $1" grep -q "$2" /tmp/testpmd.log
}

for card in igb0 e1000e0 virtio0; do
    bind $card vfio-pci || { fail "$card bound to vfio-pci"; continue; }
    rm -f /tmp/testpmd.in
    mkfifo /tmp/testpmd.in
    exec 9<>/tmp/testpmd.in
    # Emptied before, not by the program's start: that comes later than the first look, which would see the last card's words.
    : >/tmp/testpmd.log
    grantwire testpmd -a "$(bdf_of $card)" -- -i --forward-mode=io --total-num-mbufs=2048 </tmp/testpmd.in >/tmp/testpmd.log 2>&1 &
    pid=$!
    shown "testpmd takes commands" 'Interactive-mode selected'
    say 'show port info 0'
    shown "it knows the card's address" "MAC address: $(mac_of $card | tr '[:lower:]' '[:upper:]')"
    say 'set promisc 0 on' 'mac_addr add 0 02:00:00:00:00:77' 'show port 0 macs' 'show port info 0'
    shown "promiscuous mode is on" 'Promiscuous mode: enabled'
    shown "another address is added" '02:00:00:00:00:77'
    case $card in
        virtio*) ;;
        *)
            say 'vlan set strip on 0' 'show port info 0'
            shown "tags are taken off" 'strip on'
            say 'vlan set strip off 0'
            ;;
    esac
    say start
    shown "it forwards" 'io packet forwarding'
    check "$card: 500 frames come back unchanged" wire loop $card 500 60 1514 16 "$(mac_of $card)"
    say 'show port stats 0' 'show port xstats 0'
    shown "it counts them" 'RX-packets: 500 '
    shown "so do the extended statistics" 'rx_good_packets: 500'
    # The kernel waits until the card is given back.
    bdf_of $card >"/sys/bus/pci/devices/$(bdf_of $card)/driver/unbind" &
    shown "the kernel gets it back, and the port is closed" 'the kernel wants it back; it is closed'
    for _ in $(seq 50); do
        [ -e "/sys/bus/pci/devices/$(bdf_of $card)/driver" ] || break
        sleep 0.2
    done
    check "$card: it is nobody's now" [ ! -e "/sys/bus/pci/devices/$(bdf_of $card)/driver" ]
    say quit
    wait $pid
    status=$?
    check "$card: testpmd ends in order" [ $status = 0 ]
    exec 9>&-
    sed 's/^/  /' /tmp/testpmd.log
done
