#!/usr/bin/env bash
# Boots Xen in QEMU, by software emulation, and runs a job in domain 0: run.sh JOB; the job "shell" gives a console.
#
# Everything a run writes is in one directory, printed at the start: console.log (Xen and domain 0), out/job.log, out/progress,
# out/console/guest-*.log, out/status.
#
#   XEN_BED_OUT       that directory
#   XEN_BED_TIMEOUT   seconds that a job may take
#   XEN_BED_PATIENCE  how much longer than on an idle machine each step may take
#   XEN_BED_NICE      niceness of QEMU
#   XEN_BED_QEMU      QEMU to run, when it is to be another one than the system's
#
# A job is jobs/JOB.sh, which domain 0 runs. JOB.before and JOB.after are sourced out here, before the boot and after a good end.
# JOB.qemu is sourced as well; it may add arguments for QEMU to the array "more", and choose a QEMU with "qemu_of": for a card that
# older ones have no model of, for instance. Programs that JOB.before leaves running it adds to the array "helpers"; what is in the
# directory "sockets" goes when the run has ended.
# shellcheck source=settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"
SUDO=
[ "$(id -u)" = 0 ] || SUDO="sudo "
find_jdk
job=${1:?which job?}
[ "$job" = shell ] || [ -f "$bed/jobs/$job.sh" ] ||
    die "no such job: $job; there are: $(basename -s .sh -a "$bed"/jobs/*.sh | tr '\n' ' ')shell"
[ -n "${XEN_BED_QEMU:-}" ] || need_programs qemu-system-x86_64=qemu-system-x86
qemu=("${XEN_BED_QEMU:-qemu-system-x86_64}")

more=()
helpers=()
sockets=
pid=
end_all() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    [ ${#helpers[@]} = 0 ] || kill "${helpers[@]}" 2>/dev/null || true
    [ -z "$sockets" ] || rm -rf "$sockets"
}
trap end_all EXIT
trap 'exit 130' INT TERM
# shellcheck source=/dev/null
if [ -f "$bed/jobs/$job.qemu" ]; then . "$bed/jobs/$job.qemu" || die "preparing QEMU for $job failed"; fi

begun=$SECONDS
built=$(mktemp)
"$bed/build.sh" | tee "$built" || { rm -f "$built"; exit 1; }
parts=$(sed -n 's/^bed //p' "$built")
rm -f "$built"

run=${XEN_BED_OUT:-$root/.grantwire/xen/$job}
[ ! -e "$run" ] || [ -e "$run/job" ] || [ -z "$(ls -A "$run")" ] || die "$run is not empty and not of an earlier run; name another directory"
rm -rf "$run"
mkdir -p "$run/out" "$run/bin"
cp -r "$bed/dom0" "$bed/jobs" "$run/bin/"
echo "$job" >"$run/job"
echo "${XEN_BED_PATIENCE:-8}" >"$run/patience"
# A job may have a part before and one after it that run out here.
# shellcheck source=/dev/null
if [ -f "$bed/jobs/$job.before" ]; then . "$bed/jobs/$job.before" || die "preparing $job failed"; fi

# Memory: 512 MB for domain 0, 448 MB for each of up to three guests, and Xen's own.
xen_args="console=com1 com1=115200,8n1 conring_size=1m dom0_mem=640M,max:640M dom0_max_vcpus=1 spec-ctrl=no xpti=no loglvl=info guest_loglvl=info"
linux_args="console=hvc0 mitigations=off panic=-1"
serial=(-serial "file:$run/console.log")
[ "$job" != shell ] || serial=(-serial stdio)

more_nice=$((${XEN_BED_NICE:-0} - $(nice)))
[ "$more_nice" -ge 0 ] || more_nice=0

# shellcheck disable=SC2054 # commas are QEMU's
machine=(
    nice -n "$more_nice" "${qemu[@]}" -name "grantwire-xen-$job" -machine q35 -accel tcg,thread=multi -cpu "qemu64,+svm"
    -smp 2 -m 2560M -nodefaults -no-user-config -display none -no-reboot -monitor none "${serial[@]}"
    -kernel "$parts/xen" -append "$xen_args" -initrd "$parts/vmlinux $linux_args,$parts/first.cpio"
    -drive "file=$parts/dom0.ext4,format=raw,if=none,id=d0,snapshot=on" -device virtio-blk-pci,drive=d0
    -drive "file=$parts/app.ext4,format=raw,if=none,id=d1,snapshot=on" -device virtio-blk-pci,drive=d1
    -fsdev "local,id=bed,path=$run,security_model=none" -device virtio-9p-pci,fsdev=bed,mount_tag=bed
    "${more[@]}"
)

if [ "$job" = shell ]; then
    say "console of domain 0; exit ends it, files in /bed/out stay in $run/out"
    "${machine[@]}"
    exit
fi

limit=${XEN_BED_TIMEOUT:-1800}
say "booting Xen $version in QEMU; logs in $run"
boot_at=$SECONDS
"${machine[@]}" >"$run/qemu.log" 2>&1 </dev/null &
pid=$!

# Seconds of processor time of the programs that this script has waited for; sets "cpu".
look_at_cpu() {
    times >"$run/times"
    cpu=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "[ms]"); s += 60 * t[1] + t[2] } } END { printf "%.0f", s }' "$run/times")
}
look_at_cpu
cpu_before=$cpu

shown=0
# Prints what came to the progress file since the last look.
show() {
    local lines
    [ -f "$run/out/progress" ] || return 0
    lines=$(wc -l <"$run/out/progress")
    [ "$lines" -gt "$shown" ] || return 0
    sed -n "$((shown + 1)),${lines}p" "$run/out/progress" | sed "s/^/  [$((SECONDS - boot_at)) s] /"
    shown=$lines
}
while kill -0 "$pid" 2>/dev/null; do
    show
    if [ ! -e "$run/out/progress" ] && [ $((SECONDS - boot_at)) -ge 300 ]; then
        die "domain 0 was not up within 300 s; see $run/console.log and $run/qemu.log"
    fi
    [ $((SECONDS - boot_at)) -lt "$limit" ] || die "the job was not done within $limit s; see $run/out/job.log and $run/console.log"
    sleep 0.3
done
wait "$pid" || true
show
look_at_cpu
status=$(cat "$run/out/status" 2>/dev/null || echo none)
if [ "$status" = 0 ] && [ -f "$bed/jobs/$job.after" ]; then
    # shellcheck source=/dev/null
    if (. "$bed/jobs/$job.after"); then say "  PASS the check outside"; else say "  FAIL the check outside"; status="1, of the check outside"; fi
fi
say "$job: $((SECONDS - boot_at)) s after the start of QEMU, which took $((cpu - cpu_before)) s of processor time; $((SECONDS - begun)) s in all"
case $status in
    0) say "$job: success" ;;
    none) die "the machine ended without a result; see $run/console.log and $run/qemu.log" ;;
    *) die "job $job failed (exit status $status); see $run/out/job.log, $run/out/progress and $run/out/console/" ;;
esac
