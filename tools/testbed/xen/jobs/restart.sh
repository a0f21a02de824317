# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# The switch is killed under load five times, and then a guest's process: VM1 and VM2 send each other numbered frames with checksums,
# and check them. The guests' processes go on while switches come and go; nothing is lost, corrupt or left mapped.
. /bed/bin/dom0/lib.sh

cycles=5
vm1=00:00:00:00:00:11
vm2=00:00:00:00:00:22
served() { pmd_registered "$log" "$1"; }
both_served() { served $vm1 && served $vm2; }

# traffic_start NAME MAC PEER
traffic_start() { guest_start "$1" traffic grantwire soak-guest xen 0 "$2" "$3" /tmp/board 2000; }
# look NAME: what a guest has counted up to now, in "board".
look() {
    local before out=/bed/out/console/guest-$1.log
    before=$(grep -c '^traffic| PID' "$out")
    guest_tell "$1" traffic show
    wait_for 60 "$1's counters" shown_again "$out" "$before" || return 1
    board=$(grep '^traffic| PID' "$out" | tail -n 1 | tr -d '\r')
}
shown_again() { [ "$(grep -c '^traffic| PID' "$1")" -gt "$2" ]; }
# counted FIELD: of the last look.
counted() { printf '%s\n' "$board" | sed -n "s/.* $1 \([0-9]*\) .*/\1/p"; }
# receives NAME: whether new frames come.
receives() {
    local had
    look "$1" || return 1
    had=$(counted RECEIVED)
    wait_for 60 "frames for $1" got_beyond "$1" $((had + 50))
}
got_beyond() { look "$1" && [ "$(counted RECEIVED)" -gt "$2" ]; }
none_lost() { look "$1" && progress "$1: $board" && [ "$(counted CORRUPT)" = 0 ] && [ "$(counted MISSING)" = 0 ]; }
# No more than one burst of 32 for each kill.
few_doubled() { [ "$(counted DUPLICATES)" -le $((32 * cycles)) ]; }

guests_create vm1 vm2 || exit 1
guest_prepare "$(domid_of vm1)" "$(domid_of vm2)" || exit 1
traffic_start vm1 $vm1 $vm2
traffic_start vm2 $vm2 $vm1
log=/bed/out/switch-0.log
switch_start "$log" -p 1 --rx-retry 600000 || exit 1
check "both guests are served" wait_for 120 "both to be served" both_served
check "VM1 receives" receives vm1
check "VM2 receives" receives vm2
look vm1
first=$(counted PID)
mapped=$(switch_mappings)
i=0
while [ $((i += 1)) -le $cycles ]; do
    kill -KILL "$switch_pid"
    wait "$switch_pid" 2>/dev/null
    log=/bed/out/switch-$i.log
    look_at_clock
    begun=$now
    switch_start "$log" -p 1 --rx-retry 600000 || exit 1
    check "the switch killed, time $i: the next serves both" wait_for 60 "both to be served" both_served
    look_at_clock
    progress "after about $((now - begun)) s, start included"
    check "… VM1 receives" receives vm1
    check "… VM2 receives" receives vm2
done
check "VM1 lost nothing, and nothing came corrupt" none_lost vm1
check "… at most a burst for each kill came twice" few_doubled
check "… it is the same process" test "$(counted PID)" = "$first"
check "VM2 lost nothing, and nothing came corrupt" none_lost vm2
check "… at most a burst for each kill came twice" few_doubled
check "as many pieces of guests are mapped as at first" test "$(switch_mappings)" = "$mapped"
gone() { [ "$(grep -c '#####([0-9]*) Device has been removed' "$log")" -ge "$1" ]; }
again() { [ "$(grep -c "MAC_ADDRESS $vm1 and VLAN_TAG [0-9]* registered" "$log")" -gt "$1" ]; }
i=0
while [ $((i += 1)) -le $cycles ]; do
    guest_run vm1 kill 60 killall -9 java
    check "VM1's process killed, time $i: its device goes" wait_for 60 "the device to go" gone $i
    traffic_start vm1 $vm1 $vm2
    check "… started again it is served" wait_for 120 "VM1 to be served" again $i
    check "… VM2 receives" receives vm2
done
check "nothing came corrupt to VM2" test "$(counted CORRUPT)" = 0
check "as many pieces of guests are mapped as at first" test "$(switch_mappings)" = "$mapped"
check "the switch ends in order" switch_stop
guest_destroy vm1
guest_destroy vm2
verdict restart
