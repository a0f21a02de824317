#!/usr/bin/env bash
# Builds what the Xen test bed boots, in stages, each kept under a hash of what went into it:
#
#   tree-*   a Debian tree with Xen's tools and a kernel        (minutes, from the package archive)
#   boot-*   Xen and vmlinux as QEMU takes them, the disk of domain 0, its first file system
#   java-*   a Java runtime, Grantwire, an ahead-of-time cache
#   app-*    the disk with all that the domains run: java-*, and the guests' kernel and file system
#
# Prints progress; the last line is "bed DIR": a directory with links to all the parts. "build.sh check" only looks whether this
# machine has what is needed.
# shellcheck source=settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"
export PATH=$PATH:/usr/sbin:/sbin
SUDO=
[ "$(id -u)" = 0 ] || SUDO="sudo "

need_programs qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap mke2fs=e2fsprogs cpio=cpio xz=xz-utils zstd=zstd modprobe=kmod depmod=kmod \
    tar=tar flock=util-linux unshare=util-linux
find_jdk
[ "$(id -u)" = 0 ] || unshare --map-root-user --mount true 2>/dev/null ||
    die "building a Debian tree takes root, or user namespaces, which this machine refuses; type: sudo sysctl kernel.unprivileged_userns_clone=1"
ls "$dist"/tools-*.jar >/dev/null 2>&1 || die "Grantwire is not built: no jars in $dist; run any command with ./grantwire first"
if [ "${1:-}" = check ]; then
    say "this machine can build and run the test bed"
    exit
fi

mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w 1800 9 || die "another build has been at work in $cache for half an hour"
log=$cache/build.log
: >"$log"

# shellcheck disable=SC2016 # the inner shell expands
# As root inside a Debian tree: by right when we are root, in a user namespace otherwise.
inside() {
    if [ "$(id -u)" = 0 ]; then
        unshare --mount --propagation private -- sh -c 'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; shift; exec chroot "$@"' sh "$1" "$@"
    else
        unshare --map-root-user --mount --pid --fork -- sh -c 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; shift; exec chroot "$@"' sh "$1" "$@"
    fi
}

packages=(
    "xen-hypervisor-$version-amd64" "xen-utils-$version" xenstore-utils libxenstore4 linux-image-amd64
    busybox-static kmod iproute2 procps
)

make_tree() {
    local excludes=() what
    for what in doc man locale info; do excludes+=("--dpkgopt=path-exclude=/usr/share/$what/*"); done
    # Whatever archive this machine takes packages from serves its own release; others come from the default one.
    mmdebstrap --variant=minbase --aptopt='APT::Install-Recommends "false"' "${excludes[@]}" \
        --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$at/tree.tar"
    mkdir "$at/tree"
    tar -C "$at/tree" --no-same-owner --exclude='./dev/*' --exclude='./boot/initrd*' --exclude='./var/cache/*' --exclude='./var/lib/apt/*' -xf "$at/tree.tar"
    rm "$at/tree.tar"
    mkdir -p "$at/tree/opt/grantwire" "$at/tree/bed"
}

# Domain 0's file system is on the small side: what no job needs stays out.
make_boot() {
    local kernel first=$at/first disk=$at/disk
    kernel=$(ls "$tree/lib/modules")
    gzip -dc "$tree/boot/xen-$version-amd64.gz" >"$at/xen"
    vmlinux_of "$tree/boot/vmlinuz-$kernel" "$at/vmlinux"

    mkdir -p "$first"/{bin,proc,sys,dev,disk}
    cp "$tree/bin/busybox" "$first/bin/"
    ln -s busybox "$first/bin/sh"
    install -m 755 "$bed/dom0/first-init" "$first/init"
    copy_modules "$first/modules" crc32c_generic virtio_pci virtio_blk ext4 9pnet_virtio 9p
    pack "$first" "$at/first.cpio"

    cp -al "$tree" "$disk"
    (
        cd "$disk"
        rm -rf boot/* usr/share/perl* usr/share/zoneinfo usr/share/i18n usr/share/bash-completion usr/share/misc \
            var/lib/apt var/lib/dpkg var/cache usr/lib/x86_64-linux-gnu/perl* usr/lib/x86_64-linux-gnu/gconv usr/lib/systemd \
            usr/lib/locale usr/lib/python3* usr/bin/python3* "usr/lib/xen-$version/boot" usr/lib/udev
        find "lib/modules/$kernel/kernel" -name '*.ko*' | grep -vE '/(xen|block|net/tun|net/dummy|net/veth|af_packet|uio|intel/igb|i2c/algos|dca|ptp|pps)' | xargs -r rm -f
        depmod -b . "$kernel"
    )
    mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d "$disk" "$at/dom0.ext4" 700M
    rm -rf "$disk" "$first"
}

make_java() {
    local home=$tree/opt/grantwire
    "$jdk/bin/jlink" --add-modules java.base,java.logging,java.management,jdk.management,jdk.unsupported --strip-debug --no-header-files --no-man-pages \
        --compress=zip-0 --generate-cds-archive --output "$at/grantwire/jre"
    mkdir -p "$at/grantwire/lib"
    cp -p "$dist"/*.jar "$at/grantwire/lib/"
    install -m 755 "$bed/grantwire" "$bed/bed-java" "$at/grantwire/"
    mkdir "$at/grantwire/bed" "$at/classes"
    cp -p "$dist_bed"/*.jar "$at/grantwire/bed/"
    "$jdk/bin/javac" -Xlint:all -Werror -d "$at/classes" -cp "$dist/*:$dist_bed/*" "$bed"/java/io/grantwire/bed/*.java
    "$jdk/bin/jar" --create --file "$at/grantwire/bed/bed.jar" -C "$at/classes" .
    # Trained where it will run, since the cache knows its files by their paths, and without the parts that hold this machine's
    # processor instructions.
    rm -rf "$home"
    cp -a "$at/grantwire" "$home"
    mkdir -p "$tree/dev/shm"
    inside "$tree" env GRANTWIRE_AOT=train /opt/grantwire/grantwire rehearse || echo "no cache: domains start slowly"
    if [ -s "$home/app.aot" ]; then cp -p "$home/app.aot" "$at/grantwire/"; fi
    rm -rf "$home"
    mkdir -p "$home"
}

make_app() {
    local guest=$at/guest lib=usr/lib/x86_64-linux-gnu one
    mkdir -p "$guest"/{bin,sbin,proc,sys,dev,run,tmp,etc,lib64,usr/bin,$lib,opt}
    ln -s usr/lib "$guest/lib"
    cp "$tree/bin/busybox" "$guest/bin/"
    ln -s busybox "$guest/bin/sh"
    install -m 755 "$bed/domu/init" "$guest/init"
    copy_modules "$guest/modules" xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs
    cp -L "$tree/lib64/ld-linux-x86-64.so.2" "$guest/lib64/"
    for one in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libz.so.1 libgcc_s.so.1 libxenstore.so.4 libxentoolcore.so.1; do
        cp -L "$tree/$lib/$one" "$guest/$lib/" 2>/dev/null || cp -L "$tree/lib/x86_64-linux-gnu/$one" "$guest/$lib/"
    done
    for one in xenstore xenstore-read xenstore-write xenstore-ls xenstore-exists xenstore-rm xenstore-watch; do cp -P "$tree/usr/bin/$one" "$guest/usr/bin/"; done
    cp -a "$java/grantwire" "$guest/opt/"
    pack "$guest" "$at/guest.cpio"
    rm -rf "$guest"

    mkdir "$at/disk"
    cp -a "$java/grantwire/." "$at/disk/"
    mkdir "$at/disk/guest"
    mv "$at/guest.cpio" "$at/disk/guest/initramfs"
    ln "$boot/vmlinux" "$at/disk/guest/vmlinux" || cp "$boot/vmlinux" "$at/disk/guest/vmlinux"
    local size=$(($(du -sm "$at/disk" | cut -f1) * 115 / 100 + 32))
    mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d "$at/disk" "$at/app.ext4" "${size}M"
    rm -rf "$at/disk"
}

say "Xen $version test bed, kept in $cache"
sweep
key_tree=$({ echo "$suite ${packages[*]}"; declare -f make_tree; } | hash_of)
stage tree "$key_tree" make_tree
tree=$at/tree
key_boot=$({ echo "$key_tree"; declare -f make_boot copy_modules vmlinux_of pack; cat "$bed/dom0/first-init"; } | hash_of)
stage boot "$key_boot" make_boot
boot=$at
key_java=$({ echo "$key_tree"; cat "$jdk/release" "$bed/grantwire" "$bed/bed-java" "$bed"/java/io/grantwire/bed/*.java; declare -f make_java; sha256sum "$dist"/*.jar "$dist_bed"/*.jar | awk '{print $1}'; } | hash_of)
stage java "$key_java" make_java
java=$at
key_app=$({ echo "$key_boot $key_java"; declare -f make_app; cat "$bed/domu/init"; } | hash_of)
stage app "$key_app" make_app
app=$at

# Named by its contents, since several source trees may use one cache.
make_bed() { ln -s "$boot/xen" "$boot/vmlinux" "$boot/first.cpio" "$boot/dom0.ext4" "$app/app.ext4" "$at/"; }
stage bed "$({ echo "$boot $app"; declare -f make_bed; } | hash_of)" make_bed
say "bed $at"
