#!/usr/bin/env bash
# Boots the NIC test bed, or rather goes on from where it had booted, and runs a job in the guest: run.sh JOB; the job "shell" gives a
# console. A job is jobs/JOB.sh; the job "all" is one after the other, each in a guest that nobody has used.
#
# Everything a run writes is in one directory, printed at the start: console.log (the guest), qemu.args.
#
#   NIC_BED_OUT      that directory
#   NIC_BED_TIMEOUT  seconds that a job may take
#   NIC_BED_NICE     niceness of QEMU
#   NIC_BED_BOOT     1: boot anew instead of starting from the snapshot
# shellcheck source=settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"
SUDO=
[ "$(id -u)" = 0 ] || SUDO="sudo "
find_jdk
job=${1:?which job?}
[ "$job" = shell ] || [ "$job" = all ] || [ -f "$bed/jobs/$job.sh" ] ||
    die "no such job: $job; there are: all $(basename -s .sh -a "$bed"/jobs/*.sh | tr '\n' ' ')shell"

if [ "$job" = all ]; then
    failed=()
    for part in hello contract-vfio contract-uio igb igb-switch e1000e virtio testpmd; do
        NIC_BED_OUT=${NIC_BED_OUT:+$NIC_BED_OUT/$part} "$0" "$part" || failed+=("$part")
    done
    [ ${#failed[@]} = 0 ] || die "failed: ${failed[*]}"
    say "all: success"
    exit
fi

begun=$SECONDS
built=$(mktemp)
"$bed/build.sh" | tee "$built" || { rm -f "$built"; exit 1; }
parts=$(sed -n 's/^bed //p' "$built")
rm -f "$built"

run=${NIC_BED_OUT:-$root/.grantwire/nic/$job}
[ ! -e "$run" ] || [ -e "$run/job" ] || [ -z "$(ls -A "$run")" ] || die "$run is not empty and not of an earlier run; name another directory"
rm -rf "$run"
mkdir -p "$run"
echo "$job" >"$run/job"
# Sockets' paths must be short.
sockets=$(mktemp -d)
trap 'rm -rf "$sockets"' EXIT

# The disk that carries everything in: an archive, read as such.
payload=$sockets/payload
mkdir -p "$payload/opt" "$payload/bed"
cp -rpL "$parts/grantwire" "$payload/opt/"
cp -r "$bed/guest/lib.sh" "$bed/jobs" "$run/job" "$payload/bed/"
pack "$payload" "$run/payload"
rm -rf "$payload"
[ "$(stat -c %s "$run/payload")" -lt $payload_bytes ] || die "the jars do not fit on the disk of $payload_bytes bytes"
truncate -s $payload_bytes "$run/payload"

machine "$sockets" "$run/payload"
qemu_of "$(readlink -f "$parts/tree")"
more_nice=$((${NIC_BED_NICE:-5} - $(nice)))
[ "$more_nice" -ge 0 ] || more_nice=0
printf '%s\n' nice -n "$more_nice" "${qemu[@]}" "${machine[@]}" -kernel "$parts/vmlinux" -initrd "$parts/first.cpio" -append "$kernel_words" >"$run/qemu.args"
mode=run
[ "$job" != shell ] || mode=shell
state=$parts/state
[ "${NIC_BED_BOOT:-0}" = 0 ] || state=$run/none
say "running $job in QEMU; logs in $run"
rc=0
"$jdk/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlimit="${NIC_BED_TIMEOUT:-1800}" -cp "$parts/outside" \
    io.grantwire.bed.outside.NicBed $mode "$run" "$sockets" "$state" "${nics[@]}" || rc=$?
rm -f "$run/payload"
say "$job: $((SECONDS - begun)) s in all"
[ $rc = 0 ] || die "job $job failed; see $run/console.log"
say "$job: success"
