# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What ends and comes back: a guest's process, a guest, the switch, and a store that is slow. One guest sends all the time, and must
# not notice.
. /bed/bin/dom0/lib.sh

log=/bed/out/switch.log
vm1=00:00:00:00:00:11
vm2=00:00:00:00:00:22

# vm2_sends WHAT: whether the other guest's frames still come.
vm2_sends() {
    local before
    before=$(switch_tx "$log" $vm2)
    [ -n "$before" ] && wait_for 30 "VM2's frames" vm2_beyond "$before"
}
vm2_beyond() {
    local now
    now=$(switch_tx "$log" $vm2)
    [ -n "$now" ] && [ "$now" -gt "$1" ]
}
served() { [ -n "$(switch_tx "$log" "$1")" ]; }
gone() { ! served "$1"; }
no_mappings() { [ "$(switch_mappings)" = 0 ]; }
as_before() { [ "$(switch_mappings)" = "$1" ]; }
not_listed() { ! xl list | grep -qE "^(vm1|\(null\)) "; }
# Grants that domain 0 has mapped, as the hypervisor sees them: active entries name the domain that mapped, flags and frame.
mapped_by_dom0() {
    xl dmesg -c >/dev/null
    xl debug-keys g
    sleep 1
    xl dmesg -c >/bed/out/grants.log
    awk '/grant-table for remote d/ { guest = $0 !~ /d0/ } guest && / d0 / { n++ } END { print n + 0 }' /bed/out/grants.log
}

guests_create vm1 vm2 || exit 1
grantwire xenstore prepare "$(domid_of vm1)" "$(domid_of vm2)" || exit 1
pmd_start vm2 $vm2 00:00:00:00:00:33 txonly
pmd_start vm1 $vm1 $vm2
switch_start "$log" -p 1 --json || exit 1
pmd_go vm2
wait_for 60 "VM2 to be served" served $vm2 || exit 1
alone=$(switch_mappings)
pmd_go vm1
check "both guests are served" wait_for 60 "VM1 to be served" served $vm1
check "VM2 sends" vm2_sends
progress "mappings of the switch: $alone for VM2, $(switch_mappings) for both; grants that domain 0 has mapped: $(mapped_by_dom0)"

guest_run vm1 kill 30 killall -9 java
check "VM1's process killed: its device goes" wait_for 60 "the device to go" gone $vm1
check "… and its pages are unmapped" wait_for 30 "the pages to go" as_before "$alone"
check "… and VM2 sends on" vm2_sends

pmd_start vm1 $vm1 $vm2
pmd_go vm1
check "VM1's process started again: it is served" wait_for 60 "VM1 to be served" served $vm1

old=$(domid_of vm1)
check "VM1 destroyed" guest_destroy vm1
check "… its device goes" wait_for 60 "the device to go" gone $vm1
check "… its pages are unmapped" wait_for 30 "the pages to go" as_before "$alone"
check "… the hypervisor has let go of the domain" wait_for 30 "the domain to vanish" not_listed
check "… VM2 sends on" vm2_sends

guests_create vm1 || exit 1
check "VM1 made again has another id" test "$(domid_of vm1)" != "$old"
grantwire xenstore prepare "$(domid_of vm1)"
pmd_start vm1 $vm1 $vm2
pmd_go vm1
check "… and is served" wait_for 60 "VM1 to be served" served $vm1

kill -STOP "$(cat /run/xenstore.pid)"
sleep 5
check "xenstored stands still: the switch lives" switch_alive
check "… and VM2 sends on" vm2_sends
kill -CONT "$(cat /run/xenstore.pid)"
check "… and VM1 is served afterwards" served $vm1

check "the switch ends in order" switch_stop
check "… and domain 0 has no grant mapped" test "$(mapped_by_dom0)" = 0
switch_start "$log" -p 1 --json || exit 1
check "the switch started again serves VM1" wait_for 60 "VM1 to be served" served $vm1
check "… and VM2" wait_for 60 "VM2 to be served" served $vm2
check "… and VM2 sends" vm2_sends
kill -KILL "$switch_pid"
wait "$switch_pid"
check "the switch killed: domain 0 has no grant mapped" test "$(mapped_by_dom0)" = 0
switch_start "$log" -p 1 --json || exit 1
check "… and started again it serves both" wait_for 60 "both to be served" served $vm2
check "… and VM2 sends" vm2_sends
switch_stop
guest_destroy vm1
guest_destroy vm2
verdict lifecycle
