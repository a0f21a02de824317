# shellcheck shell=bash disable=SC2154
# Sourced by the test beds' own settings.sh, which set $bed_name first: how to speak, how to fail, and how images are built and kept.

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "grantwire testbed $bed_name: $*" >&2; exit 1; }

# What has to be installed: pairs of a program and the Debian package that has it.
need_programs() {
    local missing=() pair
    for pair in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] || die "missing on this machine: ${missing[*]}; type: ${SUDO:-}apt-get install -y --no-install-recommends ${missing[*]}"
}

# One hash of words and files' contents.
hash_of() { sha256sum | cut -c1-16; }

# Runs what makes a stage: stage NAME HASH FUNCTION; sets $at to its directory in $cache. Unfinished ones are begun anew.
stage() {
    at=$cache/$1-$2
    if [ -e "$at/.done" ]; then
        touch "$at/.done"
        say "  $1: kept"
        return
    fi
    local begun=$SECONDS
    say "  $1: building"
    rm -rf "$at"
    mkdir -p "$at"
    echo "=== $1 $2" >>"$log"
    # A function called in a condition would go on after errors: hence the subshell of its own.
    local rc=0
    set +e
    (set -e; "$3") >>"$log" 2>&1 </dev/null
    rc=$?
    set -e
    [ $rc = 0 ] || die "building $1 failed; see the end of $log"
    touch "$at/.done"
    say "  $1: built in $((SECONDS - begun)) s"
}

# Stages that have not been used for two weeks go.
sweep() { find "$cache" -mindepth 2 -maxdepth 2 -name .done -mtime +14 -printf '%h\0' | xargs -0 -r rm -rf; }

# The kernel inside a bzImage (Linux boot protocol: setup sectors at 0x1f1, payload's offset and length at 0x248).
vmlinux_of() {
    local image=$1 setup offset length
    setup=$(od -An -tu1 -j 497 -N 1 "$image")
    read -r offset length < <(od -An -tu4 -j 584 -N 8 "$image")
    tail -c "+$((((setup == 0 ? 4 : setup) + 1) * 512 + offset + 1))" "$image" | head -c "$length" >"$2.packed" || true
    case $(od -An -tx1 -N 4 "$2.packed" | tr -d ' ') in
        fd377a58) xz -dc <"$2.packed" >"$2" || true ;;
        28b52ffd) zstd -dc <"$2.packed" >"$2" || true ;;
        *) echo "unknown compression of $image"; return 1 ;;
    esac
    rm "$2.packed"
    # The payload has its length behind it, which the programs above complain about: look at what came out instead.
    [ "$(od -An -tx1 -N 4 "$2" | tr -d ' ')" = 7f454c46 ]
}

# Copies modules of the kernel in $tree with what they need into DIR, uncompressed, and appends their names to DIR/list in load order.
copy_modules() {
    local into=$1 module file kernel
    shift
    kernel=$(ls "$tree/lib/modules")
    mkdir -p "$into"
    touch "$into/list"
    for module in "$@"; do
        while read -r _ file _; do
            local name
            name=$(basename "${file%%.ko*}").ko
            [ ! -e "$into/$name" ] || continue
            case $file in
                *.xz) xz -dc "$file" >"$into/$name" ;;
                *.zst) zstd -dcq "$file" >"$into/$name" ;;
                *) cp "$file" "$into/$name" ;;
            esac
            echo "$name" >>"$into/list"
        done < <(modprobe --show-depends -d "$tree" -S "$kernel" "$module" | grep '^insmod')
    done
}

pack() { (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -R 0:0 -H newc --quiet --reproducible) >"$2"; }

# QEMU out of the tree of packages, with the libraries beside it: a model of igb needs a QEMU newer than some Debian releases have.
qemu_of() {
    local lib=$1/usr/lib/x86_64-linux-gnu
    qemu=("$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$1/usr/bin/qemu-system-x86_64" -L "$1/usr/share/qemu" -L "$1/usr/share/seabios")
    export QEMU_MODULE_DIR=$lib/qemu
}
