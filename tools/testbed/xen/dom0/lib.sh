# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Functions for the jobs, which run in domain 0.

# To start a process is slow here, with polling programs on an emulated machine: what is done often does without.
progress() {
    printf '%s\n' "$*"
    printf '%s\n' "$*" >>/bed/out/progress
}
# Standard input as lines of progress, set off.
progress_lines() { sed 's/^/    /' | tee -a /bed/out/progress; }
# Sets "now", in seconds.
look_at_clock() { read -r now _ </proc/uptime && now=${now%.*}; }
mkfifo "/tmp/never.$$"
exec {never}<>"/tmp/never.$$"
rm "/tmp/never.$$"
# pause SECONDS
pause() { read -r -t "$1" -u "$never" || true; }

# How much longer than on an idle machine everything may take.
patience=$(cat /bed/patience)

XEN_VERSION=$(cat /sys/hypervisor/version/major).$(cat /sys/hypervisor/version/minor)

# wait_for SECONDS WHAT COMMAND…: until the command succeeds; the seconds are those of an idle machine.
wait_for() {
    local most=$(($1 * patience)) what=$2 now begun
    shift 2
    look_at_clock
    begun=$now
    until "$@" >/dev/null 2>&1; do
        look_at_clock
        if [ $((now - begun)) -ge "$most" ]; then
            progress "waited $most s for $what in vain"
            return 1
        fi
        pause 0.3
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

# Domain ids of the guests made here.
declare -A domids
domid_of() { printf '%s' "${domids[$1]}"; }

# Gives a guest the directory of its keys, as "grantwire xenstore prepare" does, which e2e tries; this is quicker here.
guest_prepare() {
    local id
    for id in "$@"; do
        xenstore-write "/local/domain/$id/control/dpdk" "" && xenstore-chmod "/local/domain/$id/control/dpdk" "n$id" || return 1
    done
}

# guests_create NAME…: boots guests, and waits until the init of each has asked for work. More lines for their configuration are
# in guest_config.
guest_config=
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
$guest_config
C
        timeout $((60 * patience)) xl create -q "/tmp/$name.cfg" || { progress "xl create $name failed; see job.log"; return 1; }
        domids[$name]=$(xl domid "$name")
    done
    for name in "$@"; do
        wait_for 60 "guest $name to be up" xenstore-exists "/local/domain/${domids[$name]}/data/bed/up" || return 1
        progress "guest $name is domain ${domids[$name]}"
    done
}

# guest_start NAME TAG COMMAND…: has the guest run a command in the background. Its output goes to the guest's console, each line
# behind "TAG| ", its exit status to the key data/bed/TAG/status. Words must not have blanks.
guest_start() {
    local id=${domids[$1]} tag=$2
    shift 2
    xenstore-write "/local/domain/$id/data/bed/order" "$tag $*"
    wait_for 60 "guest to take an order" guest_took "$id"
}
guest_took() { [ -z "$(xenstore-read "/local/domain/$1/data/bed/order")" ]; }
guest_status() { xenstore-read "/local/domain/${domids[$1]}/data/bed/$2/status" 2>/dev/null; }
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
# guest_output NAME TAG: what a command printed that has ended. The console lags behind the store.
guest_output() {
    wait_for 30 "the output of $2" grep -q "^$2| exit status" "/bed/out/console/guest-$1.log"
    sed -n "s/\r\$//; s/^$2| //p" "/bed/out/console/guest-$1.log"
}
# guest_cap NAME PERCENT: of a processor, what a guest gets at most, 0 for all of it. One that polls for nothing leaves the rest to
# what starts.
guest_cap() { xl sched-credit2 -d "${domids[$1]}" -c "$2"; }
guest_destroy() { timeout $((30 * patience)) xl destroy "$1"; }
# guest_tell NAME TAG LINES: input for a command that runs in a guest, lines parted by \n.
guest_tell() {
    local id=${domids[$1]}
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
    # Emptied before, not by the program's start: the first look may be earlier, and would see an earlier switch's words.
    : >"$log"
    grantwire switch --control --stats 3600 "$@" </tmp/switch.in >"$log" 2>&1 &
    switch_pid=$!
    wait_for 60 "the switch to be up" switch_up_or_ended "$log"
    switch_alive || { progress "the switch has ended at once: $(tail -n 1 "$log")"; return 1; }
}
switch_up_or_ended() { grep -q 'Procesing on Core' "$1" || ! switch_alive; }
switch_alive() { kill -0 "$switch_pid" 2>/dev/null; }
# switch_stop: ends the switch; its exit status.
switch_stop() {
    kill -TERM "$switch_pid"
    timeout $((30 * patience)) tail --pid="$switch_pid" -f /dev/null || kill -KILL "$switch_pid"
    wait "$switch_pid"
}

# pmd_start NAME MAC PEER [MODE]: has testpmd start in a guest, its port stopped still.
pmd_start() {
    guest_start "$1" pmd grantwire testpmd --vdev "eth_xenvirt0,mac=$2" -- -i --disable-device-start --forward-mode="${4:-mac}" --tx-retry "--eth-peer=0,$3"
}
# pmds_ready NAME…: waits until testpmd takes commands, the first that was started in each guest. The switch is better not there
# before: its polling would slow their start.
pmds_ready() {
    local name
    for name in "$@"; do
        wait_for 60 "testpmd in $name" pmd_ready_or_ended "$name" || return 1
        guest_ended "$name" pmd || continue
        progress "testpmd in $name has ended at once; see out/console/guest-$name.log"
        return 1
    done
}
pmd_ready_or_ended() { grep -q '^pmd| Interactive-mode selected' "/bed/out/console/guest-$1.log" || guest_ended "$1" pmd; }
# pmd_go NAME: shows the guest's device to the switch, and forwards without losing frames.
pmd_go() {
    guest_tell "$1" pmd 'port start 0\nset burst tx delay 50 retry 1000000\nstart'
}
# pmd_registered LOG MAC: whether the switch has begun to serve a device.
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
# switch_drops LOG MAC: of these, frames that were dropped.
switch_drops() { switch_stats "$1" | grep -o "\"mac\":\"$2\"[^}]*" | sed -n 's/.*"tx":{"total":[0-9]*,"dropped":\([0-9]*\).*/\1/p'; }
# switch_mappings: pages of guests that the switch has mapped, in pieces.
switch_mappings() { grep -c gntdev "/proc/$switch_pid/maps"; }
