# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What ends and comes back: a guest's process, a guest, the switch, and a store that is slow. VM2 sends all the time, and must not
# notice. What the switch has mapped is counted in domain 0's process and in the hypervisor's own tables; what VM1 shares is held
# against a limit that leaves room for one set of pages, so that its next start fails when any stay behind.
. /bed/bin/dom0/lib.sh

log=/bed/out/switch.log
vm1=00:00:00:00:00:11
vm2=00:00:00:00:00:22

# vm2_sends: whether the other guest's frames still come.
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
both_served() { served $vm1 && served $vm2; }
gone() { ! served "$1"; }
as_before() { [ "$(switch_mappings)" = "$1" ]; }
not_listed() { ! xl list | grep -qE "^(vm1|\(null\)) "; }
# Registered once by this switch, and no frame of it dropped.
vm2_untouched() {
    [ "$(grep -c "MAC_ADDRESS $vm2 and VLAN_TAG" "$log")" = 1 ] && [ "$(switch_drops "$log" $vm2)" = 0 ]
}
# Guests' grants that domain 0 has mapped, as the hypervisor sees them.
# A line of the dump: [reference] domain, frame and pin count of the user; domain, frame and flags of the entry. The first eight
# entries are the toolstack's (GNTTAB_NR_RESERVED_ENTRIES): rings of the store and the console.
grants_in_use() {
    xl dmesg -c >/dev/null
    xl debug-keys g
    sleep 1
    xl dmesg -c >/bed/out/grants.log
    awk '
        /grant-table for remote d/ { match($0, /remote d[0-9]+/); owner = substr($0, RSTART + 8, RLENGTH - 8) }
        /\[0x[0-9a-f]+\] +0 0x/ && !/\[0x00[0-7]\]/ && owner != "0" { n++ }
        END { print n + 0 }' /bed/out/grants.log
}
no_guests() { [ "$(xl list | wc -l)" = 2 ]; }

guests_create vm1 vm2 || exit 1
guest_prepare "$(domid_of vm1)" "$(domid_of vm2)" || exit 1
guest_run vm1 limit 60 share_at_most 800
pmd_start vm2 $vm2 00:00:00:00:00:33 txonly
pmd_start vm1 $vm1 $vm2
pmds_ready vm1 vm2 || exit 1
switch_start "$log" -p 1 --json || exit 1
pmd_go vm2
wait_for 60 "VM2 to be served" served $vm2 || exit 1
guest_cap vm2 25
alone=$(switch_mappings)
alone_grants=$(grants_in_use)
pmd_go vm1
check "both guests are served" wait_for 60 "VM1 to be served" served $vm1
check "VM2 sends" vm2_sends
grants_of_both=$(grants_in_use)
progress "guests' grants in use: $alone_grants with VM2, $grants_of_both with both"
check "the hypervisor's dump shows them" test "$grants_of_both" -gt "$alone_grants" -a "$alone_grants" -gt 0
as_alone() { as_before "$alone" && [ "$(grants_in_use)" = "$alone_grants" ]; }

guest_run vm1 kill 60 killall -9 java
check "VM1's process killed: its device goes" wait_for 60 "the device to go" gone $vm1
check "… its grants are unmapped" wait_for 30 "the grants to go" as_alone
check "… VM2 sends on" vm2_sends
pmd_start vm1 $vm1 $vm2
pmd_go vm1
check "VM1's process started again: it is served, so that no page of the first is left" wait_for 60 "VM1 to be served" served $vm1

old=$(domid_of vm1)
check "VM1 destroyed" guest_destroy vm1
check "… its device goes" wait_for 60 "the device to go" gone $vm1
check "… its grants are unmapped" wait_for 30 "the grants to go" as_alone
check "… the hypervisor has let go of the domain" wait_for 30 "the domain to vanish" not_listed
check "… VM2 sends on" vm2_sends

guests_create vm1 || exit 1
check "VM1 made again has another id" test "$(domid_of vm1)" != "$old"
guest_prepare "$(domid_of vm1)"
pmd_start vm1 $vm1 $vm2
pmd_go vm1
check "… and is served" wait_for 60 "VM1 to be served" served $vm1
check "… VM2 sends on" vm2_sends

xenstored=$(cat /run/xenstore.pid)
kill -STOP "$xenstored"
sleep 5
check "xenstored stands still: the switch lives" switch_alive
check "… VM2 sends on" vm2_sends
kill -CONT "$xenstored"
check "… VM1 is served afterwards" served $vm1
# Four fifths of the time it does nothing.
(while :; do kill -STOP "$xenstored"; sleep 0.4; kill -CONT "$xenstored"; sleep 0.1; done) &
slow=$!
guest_run vm1 kill 120 killall -9 java
check "xenstored is slow: VM1's process killed, its device goes" wait_for 60 "the device to go" gone $vm1
pmd_start vm1 $vm1 $vm2
pmd_go vm1
check "… started again, it is served" wait_for 120 "VM1 to be served" served $vm1
kill "$slow"
wait "$slow" 2>/dev/null
kill -CONT "$xenstored"
check "VM2 was served by one registration all the time, and lost no frame" vm2_untouched

check "the switch ends in order" switch_stop
check "… no guest's grant is in use" test "$(grants_in_use)" = 0
log=/bed/out/switch-2.log
switch_start "$log" -p 1 --json || exit 1
check "the switch started again serves both" wait_for 60 "both to be served" both_served
check "… VM2 sends" vm2_sends
kill -KILL "$switch_pid"
wait "$switch_pid" 2>/dev/null
check "the switch killed: no guest's grant is in use" test "$(grants_in_use)" = 0
log=/bed/out/switch-3.log
switch_start "$log" -p 1 --json || exit 1
check "… started again it serves both" wait_for 60 "both to be served" both_served
check "… VM2 sends" vm2_sends
guest_tell vm1 pmd quit
check "VM1's testpmd ends in order" guest_ended_well vm1 pmd
check "… its grants are unmapped" wait_for 30 "the grants to go" as_alone
check "the switch ends in order" switch_stop
guest_destroy vm1
guest_destroy vm2
check "both destroyed: the hypervisor has let go of them" wait_for 30 "the domains to vanish" no_guests
verdict lifecycle
