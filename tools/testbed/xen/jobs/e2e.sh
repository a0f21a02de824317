# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# The whole path on real Xen: wire → switch → VM1 → switch → VM2 → switch → wire, the wire being two capture files.
. /bed/bin/dom0/lib.sh

log=/bed/out/switch.log
frames=$(cat /bed/frames)
cp /bed/in.pcap /tmp/in.pcap
guests_create vm1 vm2 || exit 1
one=$(domid_of vm1)
two=$(domid_of vm2)
check "the guests' directories are prepared" grantwire xenstore prepare "$one" "$two"

# All three programs start at once; the guests' devices come one after the other, since the first gets VLAN 1000.
pmd_start vm1 00:00:00:00:00:11 00:00:00:00:00:22 || exit 1
pmd_start vm2 00:00:00:00:00:22 00:00:00:00:00:33 || exit 1
switch_start "$log" -p 1 --uplink pcap:in=/tmp/in.pcap,out=/tmp/out.pcap --uplink-after 2 || exit 1
progress "the switch is up: $(grep -m 1 XENHOST: "$log")"
pmd_go vm1
check "VM1 is served" wait_for 60 "VM1 to be served" pmd_registered "$log" 00:00:00:00:00:11
pmd_go vm2
check "VM2 is served" wait_for 60 "VM2 to be served" pmd_registered "$log" 00:00:00:00:00:22
begun=$(uptime_s)

# What the switch has given to the file, which it writes in pieces: the last ones when it ends.
told=0
at_exit() { sed -n '/Statistics for uplink/,$p' "$log" | sed -n 's/^TX successful: *\t*//p' | tail -n 1; }
all_out() {
    local now
    # The statistics go to the switch's log.
    echo >&9
    now=$(at_exit)
    if [ $(($(uptime_s) - told)) -ge 20 ]; then
        told=$(uptime_s)
        progress "${now:-0} of $frames frames are at the exit"
    fi
    [ "${now:-0}" -ge $frames ]
}
check "as many frames leave as came" wait_for 120 "all frames to be at the exit" all_out
progress "frames under way for about $(($(uptime_s) - begun)) s"
progress "xenstore-ls of VM1's keys:"
xenstore-ls "/local/domain/$one/control/dpdk" | sed 's/^/    /' | while read -r line; do progress "    ${line:0:150}"; done
check "the switch ends in order" switch_stop
cp /tmp/out.pcap /bed/out/out.pcap
guest_tell vm1 pmd quit
guest_tell vm2 pmd quit
tac "$log" | sed '/Device statistics/q' | tac | while IFS= read -r line; do progress "    $line"; done
for vm in vm1 vm2; do
    check "testpmd in $vm ends in order" guest_ended_well "$vm" pmd
done
guest_destroy vm1
guest_destroy vm2
verdict e2e
