#!/bin/sh
# Generates io.grantwire.bindings.gen anew from the headers of this machine. Run by: mvn -Pjextract generate-sources
set -eu
cd "$(dirname "$0")"
target=../main/java

if ! command -v "${JEXTRACT:=jextract}" >/dev/null; then
    echo "jextract is not on the PATH; build it as native-bindings/README.md says, or name it: JEXTRACT=/path/to/jextract" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# generate <package> <class of functions and constants> <entry header> [options]
generate() {
    package=$1 class=$2 header=$3
    shift 3
    "$JEXTRACT" --output "$work" -t "io.grantwire.bindings.gen.$package" --header-class-name "$class" "$@" "@${header%.h}.includes" "$header"
    [ -s "$work/io/grantwire/bindings/gen/$package/$class.java" ] || {
        echo "jextract made nothing of $header; its messages are above" >&2
        exit 1
    }
}

generate libc LibC libc.h
generate uapi Uapi uapi.h
generate xen Xen xen.h
generate xenstore LibXenstore libxenstore.h -l :libxenstore.so.4

rm -rf "$target/io/grantwire/bindings/gen"
mv "$work/io/grantwire/bindings/gen" "$target/io/grantwire/bindings/gen"
echo "generated $(find "$target/io/grantwire/bindings/gen" -name '*.java' | wc -l) files; record the golden files next: src/test/c/record.sh"
