# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Functions for the jobs, which run in domain 0.

progress() { printf '%s\n' "$*" | tee -a /bed/out/progress; }
uptime_s() { cut -d. -f1 /proc/uptime; }

# How much longer than on an idle machine everything may take.
patience=$(cat /bed/patience)

# wait_for SECONDS WHAT COMMAND…: until the command succeeds; the seconds are those of an idle machine.
wait_for() {
    local most=$(($1 * patience)) what=$2 begun
    shift 2
    begun=$(uptime_s)
    until "$@" >/dev/null 2>&1; do
        if [ $(($(uptime_s) - begun)) -ge "$most" ]; then
            progress "waited $most s for $what in vain"
            return 1
        fi
        sleep 0.2
    done
}

# Checks have a line each, and a count at the end.
passed=0
failed=0
pass() { passed=$((passed + 1)); progress "PASS $*"; }
fail() { failed=$((failed + 1)); progress "FAIL $*"; }
# check WHAT COMMAND…
check() {
    local what=$1
    shift
    if "$@"; then pass "$what"; else fail "$what"; fi
}
# Says the count; the job's exit status.
verdict() {
    progress "$1: $passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# What a guest of the bed gets as well: the driver's own limit is 1024 pages for all of a domain's processes.
raise_gntalloc_limit() { echo 8192 >/sys/module/xen_gntalloc/parameters/limit; }

domid_of() { xl domid "$1"; }

# guests_create NAME…: boots guests, and waits until the init of each has asked for work.
guests_create() {
    local name
    for name in "$@"; do
        cat >"/tmp/$name.cfg" <<C
name = "$name"
type = "pv"
memory = 448
vcpus = 1
kernel = "/opt/grantwire/guest/vmlinux"
ramdisk = "/opt/grantwire/guest/initramfs"
extra = "console=hvc0 mitigations=off rdinit=/init panic=-1"
on_crash = "destroy"
on_reboot = "destroy"
on_poweroff = "destroy"
C
        timeout $((60 * patience)) xl create -q "/tmp/$name.cfg" || { progress "xl create $name failed; see job.log"; return 1; }
    done
    for name in "$@"; do
        wait_for 60 "guest $name to be up" xenstore-exists "/local/domain/$(domid_of "$name")/data/bed/up" || return 1
        progress "guest $name is domain $(domid_of "$name")"
    done
}

# guest_start NAME TAG COMMAND…: has the guest run a command in the background. Its output goes to the guest's console, each line
# behind "TAG| ", its exit status to the key data/bed/TAG/status. Words must not have blanks.
guest_start() {
    local id tag=$2
    id=$(domid_of "$1")
    shift 2
    xenstore-write "/local/domain/$id/data/bed/order" "$tag $*"
    wait_for 60 "guest to take an order" guest_took "$id"
}
guest_took() { [ -z "$(xenstore-read "/local/domain/$1/data/bed/order")" ]; }
guest_status() { xenstore-read "/local/domain/$(domid_of "$1")/data/bed/$2/status" 2>/dev/null; }
guest_ended() { [ -n "$(guest_status "$1" "$2")" ]; }
# guest_run NAME TAG SECONDS COMMAND…: the same, waiting; the command's exit status.
guest_run() {
    local name=$1 tag=$2 most=$3
    shift 3
    guest_start "$name" "$tag" "$@" || return 1
    wait_for "$most" "$name: $*" guest_ended "$name" "$tag" || return 1
    return "$(guest_status "$name" "$tag")"
}
# guest_ended_well NAME TAG: waits for a command's end, and tells whether it succeeded.
guest_ended_well() { wait_for 60 "$1: $2 to end" guest_ended "$1" "$2" && [ "$(guest_status "$1" "$2")" = 0 ]; }
# guest_output NAME TAG
guest_output() { sed -n "s/\r\$//; s/^$2| //p" "/bed/out/console/guest-$1.log"; }
guest_destroy() { timeout $((30 * patience)) xl destroy "$1"; }
# guest_tell NAME TAG LINE: a line of input for a command that runs in a guest.
guest_tell() {
    local id
    id=$(domid_of "$1")
    xenstore-write "/local/domain/$id/data/bed/order" "$2 <$3"
    wait_for 60 "guest to take a line" guest_took "$id"
}

# switch_start LOG OPTION…: the switch, which takes orders from descriptor 9: a line asks for statistics.
switch_start() {
    local log=$1
    shift
    rm -f /tmp/switch.in
    mkfifo /tmp/switch.in
    exec 9<>/tmp/switch.in
    grantwire switch --xen --control --stats 3600 "$@" </tmp/switch.in >"$log" 2>&1 &
    switch_pid=$!
    wait_for 60 "the switch to be up" grep -q 'XENHOST:' "$log"
}
switch_alive() { kill -0 "$switch_pid" 2>/dev/null; }
# switch_stop: ends the switch; its exit status.
switch_stop() {
    kill -TERM "$switch_pid"
    timeout $((30 * patience)) tail --pid="$switch_pid" -f /dev/null || kill -KILL "$switch_pid"
    wait "$switch_pid"
}

# pmd_start NAME MAC PEER [MODE]: has testpmd start in a guest, its port stopped still.
pmd_start() {
    guest_start "$1" pmd grantwire testpmd --xen --vdev "eth_xenvirt0,mac=$2" -- -i --disable-device-start --forward-mode="${4:-mac}" --tx-retry "--eth-peer=0,$3"
}
# pmd_go NAME: shows the guest's device to the switch, and forwards without losing frames.
pmd_go() {
    guest_tell "$1" pmd "port start 0" && guest_tell "$1" pmd "set burst tx delay 50 retry 1000000" && guest_tell "$1" pmd start
}
# pmd_registered LOG MAC: whether the switch serves a device.
pmd_registered() { grep -q "MAC_ADDRESS $2 and VLAN_TAG [0-9]* registered" "$1"; }

# With --json among the switch's options: asks for the statistics, and prints them as one line.
switch_stats() {
    local before
    before=$(grep -c '^{' "$1")
    echo >&9
    wait_for 30 "the switch's statistics" switch_answered "$1" "$before" || return 1
    grep '^{' "$1" | tail -n 1
}
switch_answered() { [ "$(grep -c '^{' "$1")" -gt "$2" ]; }
# switch_tx LOG MAC: frames that a device has transmitted; nothing when it is not there.
switch_tx() { switch_stats "$1" | grep -o "\"mac\":\"$2\"[^}]*" | sed -n 's/.*"tx":{"total":\([0-9]*\).*/\1/p'; }
# switch_mappings: pages of guests that the switch has mapped, in pieces.
switch_mappings() { grep -c gntdev "/proc/$switch_pid/maps"; }
