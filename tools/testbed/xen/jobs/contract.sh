# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# The seams' contracts on the real devices: JUnit's contract tests in domain 0 and in a guest, each talking to itself, then
# checks between the two domains.
. /bed/bin/dom0/lib.sh

tests="io.grantwire.gntalloc.RealGrantContractTest io.grantwire.gntalloc.RealEventChannelContractTest
    io.grantwire.xenstore.RealStoreLibraryContractTest io.grantwire.xenstore.RealStoreDeviceContractTest"

# Counts the PASS and FAIL lines of a program's output, shown behind a name.
count() {
    local where=$1 line
    while IFS= read -r line; do
        case $line in
            "PASS "*) pass "$where: ${line#PASS }" ;;
            "FAIL "*) fail "$where: ${line#FAIL }" ;;
            "COST "*) progress "$line" ;;
        esac
    done
}

# Few enough frames for grants that a guest can use them up.
guest_config='max_grant_frames = 10'
guests_create vm1 || exit 1
id=$(domid_of vm1)
raise_gntalloc_limit

# Both domains are at it at the same time; each talks to itself.
# shellcheck disable=SC2086 # one word per class
guest_start vm1 contract bed-java io.grantwire.bed.ContractRunner $tests
# shellcheck disable=SC2086
bed-java io.grantwire.bed.ContractRunner $tests io.grantwire.xenstore.RealStoreSocketContractTest >/bed/out/contract-dom0.log 2>&1
count "domain 0" </bed/out/contract-dom0.log
grep -q ' passed, ' /bed/out/contract-dom0.log || fail "domain 0: the contract tests did not end; see out/contract-dom0.log"
wait_for 120 "the guest's contract tests" guest_ended vm1 contract
guest_output vm1 contract >/bed/out/contract-guest.log
count guest </bed/out/contract-guest.log
grep -q ' passed, ' /bed/out/contract-guest.log || fail "guest: the contract tests did not end; see out/contract-guest.log"

guest_start vm1 peer bed-java io.grantwire.bed.GuestPeer
timeout $((120 * patience)) bed-java io.grantwire.bed.HostPeer "$id" >/bed/out/contract-between.log 2>&1
count between </bed/out/contract-between.log
grep -q ' passed, ' /bed/out/contract-between.log || fail "between: the checks did not end; see out/contract-between.log"

# Last: a Linux 6.1 whose grant table has been full once shares nothing any more, although all of it is free again.
guest_run vm1 frames 60 bed-java io.grantwire.bed.FullGrantTable
guest_output vm1 frames >/bed/out/contract-frames.log
count guest </bed/out/contract-frames.log
grep -q -e '^PASS' -e '^FAIL' /bed/out/contract-frames.log || fail "guest: the grant table was not filled; see out/contract-frames.log"
guest_destroy vm1
verdict contract
