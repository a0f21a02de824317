# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# A network card in domain 0 is the wire: card → switch → VM1 → switch → VM2 → switch → card. nic-bind takes it from its kernel driver
# and gives it to uio_pci_generic; the card sorts the frames for the guests into VMDq pools; outside, frames are sent and compared.
. /bed/bin/dom0/lib.sh

log=/bed/out/switch.log
modprobe -a igb uio_pci_generic
card=
for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor" "$dev/device" | tr '\n' ' ')" != "0x8086 0x10c9 " ] || card=$(basename "$dev")
done
[ -n "$card" ] || { progress "domain 0 sees no 82576"; exit 1; }
driver_is() { [ "$(basename "$(readlink "/sys/bus/pci/devices/$card/driver")")" = "$1" ]; }
check "the kernel's driver has the card" driver_is igb
check "nic-bind gives the card to uio_pci_generic" grantwire nic-bind -b uio_pci_generic "$card"
check "… and so it is" driver_is uio_pci_generic
grantwire nic-bind --status-dev net | progress_lines

guests_create vm1 vm2 || exit 1
guest_prepare "$(domid_of vm1)" "$(domid_of vm2)" || exit 1
pmd_start vm1 00:00:00:00:00:11 00:00:00:00:00:22 || exit 1
pmd_start vm2 00:00:00:00:00:22 00:00:00:00:00:33 || exit 1
pmds_ready vm1 vm2 || exit 1
switch_start "$log" -p 1 --uplink "pci:$card" --rx-retry 600000 || exit 1
grep -E 'PORT:|XENHOST:' "$log" | progress_lines
pmd_go vm1
check "VM1 is served" wait_for 60 "VM1 to be served" pmd_registered "$log" 00:00:00:00:00:11
pmd_go vm2
check "VM2 is served" wait_for 60 "VM2 to be served" pmd_registered "$log" 00:00:00:00:00:22
look_at_clock
begun=$now
: >/bed/out/wire-go
check "the far end of the wire has all it waits for" wait_for 120 "the frames" test -e /bed/out/wire-done
look_at_clock
progress "$(cat /bed/out/wire-done), in about $((now - begun)) s"
echo >&9
wait_for 30 "the switch's statistics" grep -q 'Statistics for uplink' "$log"
check "the card sorted the frames into pools" grep -q 'Sorted by:.*VMDq' "$log"
check "the switch ends in order" switch_stop
awk '/Device statistics/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$log" | progress_lines
check "nic-bind gives the card back to the kernel" grantwire nic-bind -b igb "$card"
check "… and so it is" driver_is igb
guest_tell vm1 pmd quit
guest_tell vm2 pmd quit
for vm in vm1 vm2; do
    check "testpmd in $vm ends in order" guest_ended_well "$vm" pmd
done
guest_destroy vm1
guest_destroy vm2
verdict nic
