# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# A guest that writes garbage into its keys, one after the other: each time its device is refused with a line that names the key, the
# other guest's frames go on, and with the key as it was the device is served again.
. /bed/bin/dom0/lib.sh

log=/bed/out/switch.log
vm1=00:00:00:00:00:11
vm2=00:00:00:00:00:22

served() { [ -n "$(switch_tx "$log" "$1")" ]; }
gone() { ! served "$1"; }
# named KEY LINES: whether the switch has said something about a key in the lines behind the first ones.
named() { tail -n "+$(($2 + 1))" "$log" | grep -q "XENHOST:/local/domain/$one/control/dpdk/$1: "; }
said() { tail -n "+$(($2 + 1))" "$log" | sed -n "s|.*XENHOST:/local/domain/$one/control/dpdk/$1: ||p" | head -n 1 | cut -c 1-100; }
vm2_frames() { switch_tx "$log" $vm2; }
vm2_beyond() { [ "$(vm2_frames)" -gt "$1" ]; }

guests_create vm1 vm2 || exit 1
one=$(domid_of vm1)
guest_prepare "$one" || exit 1
pmd_start vm2 $vm2 00:00:00:00:00:33 txonly
pmd_start vm1 $vm1 $vm2 rxonly
pmds_ready vm1 vm2 || exit 1
switch_start "$log" -p 1 --json --mac vm2=$vm2 || exit 1
pmd_go vm2
wait_for 60 "VM2 to be served" served $vm2 || exit 1
guest_cap vm2 25
pmd_go vm1
check "both guests are served" wait_for 60 "VM1 to be served" served $vm1

# spoiled KEY VALUE
spoiled() {
    local lines before
    lines=$(wc -l <"$log")
    before=$(vm2_frames)
    guest_run vm1 bad 60 spoil "$1" "$2"
    if wait_for 30 "a line about $1" named "$1" "$lines"; then
        pass "$1 = ${2:0:20}: $(said "$1" "$lines")"
    else
        fail "$1 = ${2:0:20} is not complained about"
    fi
    check "… the device is not served" gone $vm1
    check "… VM2's frames go on" wait_for 30 "VM2's frames" vm2_beyond "${before:-0}"
    guest_run vm1 good 60 mend "$1"
}
long=$(printf '9,%.0s' {1..500})
spoiled 0_rx_vring_gref garbage
spoiled 0_tx_vring_gref 99999999999999
spoiled 0_ether_addr ff:ff:ff:ff:ff:ff
# VM2's, which the switch knows by the name that xl gave it.
spoiled 0_ether_addr $vm2
spoiled 0_vring_flag 16777215
spoiled 0_mempool_gref "${long}9"
spoiled 0_mempool_va -1
spoiled event_type_start_0 2
check "with its keys as they were VM1 is served again" wait_for 60 "VM1 to be served" served $vm1
check "VM2 was served all the time" test "$(grep -c "MAC_ADDRESS $vm2 and VLAN_TAG" "$log")" = 1
check "the switch ends in order" switch_stop
guest_destroy vm1
guest_destroy vm2
verdict badkeys
