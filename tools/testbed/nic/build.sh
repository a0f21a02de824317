#!/usr/bin/env bash
# Builds what the NIC test bed boots, in stages, each kept under a hash of what went into it:
#
#   tree-*      QEMU, a kernel and a few programs, unpacked from Debian's packages, nothing of it installed
#   boot-*      the kernel as QEMU takes it, the guest's first and only file system, with a Java runtime
#   snapshot-*  the guest once it has booted, to start from
#   java-*      the program outside, and what the bed adds to Grantwire inside
#
# Prints progress; the last line is "bed DIR": a directory with links to all the parts.
# shellcheck source=settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"
export PATH=$PATH:/usr/sbin:/sbin
SUDO=
[ "$(id -u)" = 0 ] || SUDO="sudo "

need_programs mmdebstrap=mmdebstrap cpio=cpio xz=xz-utils zstd=zstd modprobe=kmod depmod=kmod tar=tar flock=util-linux
find_jdk
ls "$dist"/tools-*.jar >/dev/null 2>&1 || die "Grantwire is not built: no jars in $dist; run any command with ./grantwire first"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w 1800 9 || die "another build has been at work in $cache for half an hour"
log=$cache/build.log
: >"$log"

packages=(qemu-system-x86 linux-image-amd64 busybox-static kmod libc6)

# The archive that this machine takes Debian's packages from, unless it has none: then mmdebstrap's usual one.
# shellcheck disable=SC2016 # apt's words, not the shell's
mirror() { apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 2>/dev/null | awk '$2 == "Debian" { print $1; exit }'; }

make_tree() {
    local archive excludes=() what
    for what in doc man locale info lintian bug; do excludes+=("--exclude=./usr/share/$what/*"); done
    for archive in "$(mirror)" ""; do
        if mmdebstrap --variant=extract --aptopt='APT::Install-Recommends "false"' --include="$(IFS=,; echo "${packages[*]}")" \
            "$suite" "$at/tree.tar" ${archive:+"$archive"}; then break; fi
    done
    mkdir "$at/tree"
    tar -C "$at/tree" --no-same-owner --exclude='./dev/*' --exclude='./var/*' "${excludes[@]}" -xf "$at/tree.tar"
    rm "$at/tree.tar"
    # Packages that only unpack make no such links (usrmerge).
    for what in lib bin sbin; do [ -e "$at/tree/$what" ] || ln -s "usr/$what" "$at/tree/$what"; done
    depmod -b "$at/tree" "$(ls "$at/tree/usr/lib/modules")"
}

make_boot() {
    local guest=$at/guest lib=usr/lib/x86_64-linux-gnu kernel one
    kernel=$(ls "$tree/lib/modules")
    vmlinux_of "$tree/boot/vmlinuz-$kernel" "$at/vmlinux"
    mkdir -p "$guest"/{bin,proc,sys,dev,run,tmp,etc,lib64,$lib,opt}
    ln -s usr/lib "$guest/lib"
    cp "$tree/usr/bin/busybox" "$guest/bin/"
    ln -s busybox "$guest/bin/sh"
    install -m 755 "$bed/guest/init" "$guest/init"
    copy_modules "$guest/modules/base" virtio_pci virtio_blk virtio_console
    copy_modules "$guest/modules/user" vfio-pci vfio_iommu_type1 uio_pci_generic
    copy_modules "$guest/modules/kernel" igb e1000e virtio_net af_packet
    cp -L "$tree/$lib/ld-linux-x86-64.so.2" "$guest/lib64/"
    for one in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libz.so.1 libgcc_s.so.1; do cp -L "$tree/$lib/$one" "$guest/$lib/"; done
    "$jdk/bin/jlink" --add-modules java.base,java.logging,java.management,jdk.unsupported --strip-debug --no-header-files --no-man-pages \
        --compress=zip-0 --generate-cds-archive --output "$guest/opt/jre"
    pack "$guest" "$at/first.cpio"
    mv "$guest/opt/jre" "$at/jre"
    rm -rf "$guest"
}

# The Xen bed's runner of contract tests serves here too.
runner=$bed/../xen/java/io/grantwire/bed/ContractRunner.java
make_java() {
    local home=$at/grantwire
    mkdir -p "$at/outside" "$at/inside" "$home/bed"
    "$jdk/bin/javac" -Xlint:all -Werror -d "$at/outside" "$bed"/outside/io/grantwire/bed/outside/*.java
    cp -rp "$dist" "$home/lib"
    cp -p "$dist_bed"/*.jar "$home/bed/"
    "$jdk/bin/javac" -Xlint:all -Werror -d "$at/inside" -cp "$home/lib/*:$home/bed/*" "$bed"/java/io/grantwire/bed/*.java "$runner"
    "$jdk/bin/jar" --create --file "$home/bed/bed.jar" -C "$at/inside" .
    rm -rf "$at/inside"
    # An archive of loaded classes: starts take a third of the time. It knows the jars by order, size and time; without it all works too.
    "$boot/jre/bin/java" -XX:ArchiveClassesAtExit="$home/bed.jsa" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED \
        -cp "$(printf '%s:' "$home"/lib/*.jar "$home"/bed/*.jar)" io.grantwire.bed.Rehearsal || rm -f "$home/bed.jsa"
}

make_snapshot() {
    local sockets
    sockets=$(mktemp -d)
    machine "$sockets" "$at/no-payload"
    truncate -s "$payload_bytes" "$at/no-payload"
    qemu_of "$tree"
    printf '%s\n' "${qemu[@]}" "${machine[@]}" -kernel "$boot/vmlinux" -initrd "$boot/first.cpio" -append "$kernel_words" >"$at/qemu.args"
    local rc=0
    timeout 300 "$jdk/bin/java" -XX:+UseSerialGC -cp "$java/outside" io.grantwire.bed.outside.NicBed snapshot "$at" "$sockets" "$at/state" "${nics[@]}" || rc=$?
    rm -rf "$sockets"
    return $rc
}

say "NIC test bed, kept in $cache"
sweep
key_tree=$({ echo "$suite ${packages[*]}"; declare -f make_tree mirror; } | hash_of)
stage tree "$key_tree" make_tree
tree=$at/tree
key_boot=$({ echo "$key_tree"; declare -f make_boot copy_modules vmlinux_of pack; cat "$bed/guest/init" "$jdk/release"; } | hash_of)
stage boot "$key_boot" make_boot
boot=$at
key_java=$({ echo "$key_boot"; cat "$bed"/outside/io/grantwire/bed/outside/*.java "$bed"/java/io/grantwire/bed/*.java "$runner"; declare -f make_java; sha256sum "$dist"/*.jar "$dist_bed"/*.jar | awk '{print $1}'; } | hash_of)
stage java "$key_java" make_java
java=$at
key_snapshot=$({ echo "$key_boot $kernel_words $payload_bytes ${nics[*]}"; declare -f make_snapshot machine qemu_of; } | hash_of)
stage snapshot "$key_snapshot" make_snapshot
snapshot=$at

# Named by its contents, since several source trees may use one cache.
make_bed() {
    ln -s "$tree" "$at/tree"
    ln -s "$boot/vmlinux" "$boot/first.cpio" "$snapshot/state" "$java/outside" "$java/grantwire" "$at/"
}
stage bed "$({ echo "$tree $boot $snapshot $java"; declare -f make_bed; } | hash_of)" make_bed
say "bed $at"
