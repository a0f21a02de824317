# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What "doctor" says in domain 0 and in a guest, as they are and with something missing, and whether its advice helps.
. /bed/bin/dom0/lib.sh

# says FILE WORDS: whether a line of a report has these words; where not, the report is shown.
says() { grep -qF -- "$2" "$1" || { progress "    there is no '$2' in:"; sed 's/^/        /' "$1" | tee -a /bed/out/progress; return 1; }; }
# dom0_doctor NAME, guest_doctor NAME: reports, in out/doctor-NAME.log.
dom0_doctor() { grantwire doctor >"/bed/out/doctor-$1.log" 2>&1; }
guest_doctor() {
    guest_run vm1 "doctor-$1" 60 grantwire doctor
    guest_output vm1 "doctor-$1" >"/bed/out/doctor-$1.log"
}
guests_create vm1 || exit 1
id=$(domid_of vm1)

# xenstored has the device open, so that its module cannot go.
mv /dev/xen/gntdev /dev/gntdev
check "domain 0 without gntdev: doctor runs" dom0_doctor lacking
report=/bed/out/doctor-lacking.log
check "… it knows where it is" says "$report" "Xen $XEN_VERSION, the control domain: the switch runs here"
check "… it lacks gntdev" says "$report" "lack  /dev/xen/gntdev: missing: no mapping shared pages"
check "… and says how to load it" says "$report" "type: modprobe xen-gntdev"
check "… it lacks the guest's directory" says "$report" "lack  guest $id: \"vm1\", control/dpdk is not its own"
check "… and says how to make it" says "$report" "type: grantwire xenstore prepare --domid $id"
guest_run vm1 unload 60 rmmod xen_gntalloc
check "a guest without gntalloc: doctor runs" guest_doctor lacking-guest
report=/bed/out/doctor-lacking-guest.log
check "… it knows where it is" says "$report" "Xen $XEN_VERSION, a guest: front ends run here"
check "… it lacks gntalloc" says "$report" "lack  /dev/xen/gntalloc: missing: no sharing pages"
check "… and says how to load it" says "$report" "type: modprobe xen-gntalloc"
check "… it may not write where every back end looks" says "$report" "lack  control/dpdk: not for this guest"
check "… and says what domain 0 types" says "$report" "type: grantwire xenstore prepare --domid $id   (in domain 0)"

mv /dev/gntdev /dev/xen/gntdev
check "what doctor told domain 0 to type works" grantwire xenstore prepare --domid "$id"
check "… doctor runs" dom0_doctor mended
report=/bed/out/doctor-mended.log
check "… gntdev is there" says "$report" "ok    /dev/xen/gntdev: mapping shared pages"
check "… its limit is read" says "$report" "ok    grants: $(cat /sys/module/xen_gntdev/parameters/limit) may be mapped"
check "… the store is reached by the library" says "$report" "ok    xenstore: by libxenstore on /run/xenstored/socket; this is domain 0"
check "… the guest's directory is there" says "$report" "ok    guest $id: \"vm1\", control/dpdk belongs to it"
guest_run vm1 load 60 insmod /modules/xen-gntalloc.ko
guest_run vm1 limit 60 share_at_most 100
check "the guest with gntalloc, but with a low limit: doctor runs" guest_doctor low
report=/bed/out/doctor-low.log
check "… the limit is too low" says "$report" "lack  grants: only 100 pages may be shared"
check "… and it says how to raise it" says "$report" "type: echo 6000 | tee /sys/module/xen_gntalloc/parameters/limit"
check "… the store is reached by the kernel's device" says "$report" "ok    xenstore: by libxenstore on /dev/xen/xenbus; this is domain $id"
check "… its directory is there" says "$report" "ok    control/dpdk: belongs to this guest"

grantwire switch -p 1 --emulated --control </dev/null >/bed/out/emulated.log 2>&1
check "--emulated in domain 0 takes an emulated host" says /bed/out/emulated.log "started an emulated host in"
grantwire switch -p 1 --control </dev/null >/bed/out/xen.log 2>&1
check "without it the switch takes Xen, and says so" says /bed/out/xen.log "XENHOST:Xen domain 0, xenstore by libxenstore"
for report in mended low; do
    progress "doctor-$report.log:"
    sed -n '/^Xen$/,/^[A-Z][a-z]*$/p' "/bed/out/doctor-$report.log" | grep '^  ' | while IFS= read -r line; do progress "  $line"; done
done
guest_destroy vm1
verdict doctor
