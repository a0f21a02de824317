# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# The whole path on real Xen: wire → switch → VM1 → switch → VM2 → switch → wire. First the wire is two capture files, then a tap
# of domain 0, into which frames are sent and out of which they are read; the second time by a new switch, while the guests go on.
# The guests' keys are in both places where they may be: VM1 is prepared, VM2 is not.
. /bed/bin/dom0/lib.sh

frames=$(cat /bed/frames)
cp /bed/in.pcap /tmp/in.pcap
# A frame that finds a guest without a buffer waits: how quick an emulated machine is, is not what is tested.
lossless=(--rx-retry 600000)
guests_create vm1 vm2 || exit 1
one=$(domid_of vm1)
two=$(domid_of vm2)
check "VM1's directory is prepared" grantwire xenstore prepare "$one"

# served LOG: whether the switch serves both guests.
served() { pmd_registered "$1" 00:00:00:00:00:11 && pmd_registered "$1" 00:00:00:00:00:22; }
# What the switch has given to its uplink. The statistics go to its log.
at_exit() {
    echo >&9
    awk '/Statistics for uplink/ { uplink = 1 } /^Device statistics/ { uplink = 0 } uplink && /^TX successful/ { n = $3 } END { print n + 0 }' "$1"
}
all_out() { [ "$(at_exit "$1")" -ge "$frames" ]; }
show_statistics() { awk '/Device statistics/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$1" | progress_lines; }
show_keys() {
    progress "xenstore-ls $1:"
    xenstore-ls "$1" | cut -c 1-150 | progress_lines
}

# The guests' devices come one after the other, since the first gets VLAN 1000.
log=/bed/out/switch-pcap.log
pmd_start vm1 00:00:00:00:00:11 00:00:00:00:00:22 || exit 1
pmd_start vm2 00:00:00:00:00:22 00:00:00:00:00:33 || exit 1
# The other end of the tap starts meanwhile: the switch's polling would slow it later.
modprobe -a tun af_packet
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip tuntap add dev gw0 mode tap && ip link set gw0 up || exit 1
mkfifo /tmp/peer.in
exec {peer_in}<>/tmp/peer.in
bed-java io.grantwire.bed.WirePeer gw0 /tmp/in.pcap /bed/out/out-tap.pcap $((300 * patience)) </tmp/peer.in >/bed/out/peer.log 2>&1 &
peer=$!
pmds_ready vm1 vm2 || exit 1
switch_start "$log" -p 1 --uplink pcap:in=/tmp/in.pcap,out=/tmp/out.pcap --uplink-after 2 "${lossless[@]}" || exit 1
progress "the switch is up: $(grep -m 1 XENHOST: "$log")"
pmd_go vm1
check "VM1 is served" wait_for 60 "VM1 to be served" pmd_registered "$log" 00:00:00:00:00:11
guest_cap vm1 25
pmd_go vm2
check "VM2 is served, through data/dpdk" wait_for 60 "VM2 to be served" served "$log"
guest_cap vm1 0
look_at_clock
begun=$now
check "captures: as many frames leave as came" wait_for 60 "all frames to be at the exit" all_out "$log"
look_at_clock
progress "frames under way for about $((now - begun)) s"
show_keys "/local/domain/$one/control/dpdk"
show_keys "/local/domain/$two/data/dpdk"
check "captures: the switch ends in order" switch_stop
cp /tmp/out.pcap /bed/out/out-pcap.pcap
show_statistics "$log"

# The same frames by way of a tap: what the peer sends into the interface, the switch reads, and the other way round.
guest_cap vm1 10
guest_cap vm2 10
wait_for 60 "the other end of the tap" grep -q ready /bed/out/peer.log || exit 1
log=/bed/out/switch-tap.log
switch_start "$log" -p 1 --uplink tap:gw0 "${lossless[@]}" || exit 1
check "tap: a new switch serves both guests" wait_for 60 "both to be served" served "$log"
guest_cap vm1 0
guest_cap vm2 0
look_at_clock
begun=$now
echo go >&"$peer_in"
check "tap: as many frames come back as were sent" wait "$peer"
look_at_clock
progress "$(tail -n 1 /bed/out/peer.log), in about $((now - begun)) s"
check "tap: the switch ends in order" switch_stop
show_statistics "$log"

guest_tell vm1 pmd quit
guest_tell vm2 pmd quit
for vm in vm1 vm2; do
    check "testpmd in $vm ends in order" guest_ended_well "$vm" pmd
done
guest_destroy vm1
guest_destroy vm2
verdict e2e
