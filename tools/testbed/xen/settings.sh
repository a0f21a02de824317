# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Sourced by the other scripts: where things are, how to speak, how to fail.
#
#   XEN_BED_VERSION  Xen to run: 4.17 (Debian 12) or 4.20 (Debian 13)
#   XEN_BED_JAVA     the JDK whose runtime goes into the domains
#   XEN_BED_CACHE    where built images are kept
set -euo pipefail

bed_name=xen
bed=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(readlink -f "$bed/../../..")
dist=$root/tools/target/dist/lib
dist_bed=$root/tools/target/dist/bed
version=${XEN_BED_VERSION:-4.17}
cache=${XEN_BED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/grantwire/xen}

case $version in
    4.17) suite=bookworm ;;
    4.20) suite=trixie ;;
    *) echo "grantwire testbed xen: no Xen $version here; --xen takes 4.17 or 4.20" >&2; exit 2 ;;
esac

# shellcheck source=../common.sh
. "$bed/../common.sh"

find_jdk() {
    jdk=${XEN_BED_JAVA:-${JAVA_HOME:-}}
    [ -x "${jdk:-/nonexistent}/bin/jlink" ] || die "no JDK to take the runtime from; start this through ./grantwire testbed, or set XEN_BED_JAVA to a JDK 25"
}
