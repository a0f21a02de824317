# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Boots a guest and runs a command in both: the shortest proof that the bed works.
. /bed/bin/dom0/lib.sh
guests_create vm1 || exit 1
check "domain 0 knows its Xen" grantwire doctor
check "a guest runs Grantwire" guest_run vm1 ls 120 grantwire xenstore ls data
guest_output vm1 ls
xl list
guest_destroy vm1
verdict boot
