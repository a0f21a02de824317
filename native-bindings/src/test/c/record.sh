#!/bin/sh
# Records the golden files anew with this machine's compiler and headers, after names were added.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for package in libc uapi xen xenstore; do
    "${CC:-cc}" -o "$work/$package" $package.c
    "$work/$package" >"$work/$package.txt"
    mv "$work/$package.txt" ../resources/golden/$package.txt
done
