/*
 * Prints what a C compiler makes of the names that the Java bindings use: the size of a structure, the
 * place and size of a field, the value of a constant. Each file beside this one covers one generated
 * package and includes the very header that jextract read. Recorded with ./record.sh.
 */
#include <gnu/libc-version.h>
#include <linux/version.h>
#include <stddef.h>
#include <stdio.h>

#define TYPE(type) printf("type %s %zu\n", #type, sizeof(type))
#define FIELD(type, field) \
    printf("field %s %s %zu %zu\n", #type, #field, offsetof(type, field), sizeof(((type *)0)->field))
/* An array of no declared length at the end of a structure: its elements are not part of the size. */
#define TAIL(type, field) printf("field %s %s %zu 0\n", #type, #field, offsetof(type, field))
#define CONSTANT(name) printf("constant %s %lld\n", #name, (long long)(name))

static void versions(void) {
    printf("# compiler %s\n# glibc %s\n", __VERSION__, gnu_get_libc_version());
    printf("# linux headers %d.%d.%d\n", LINUX_VERSION_CODE >> 16, LINUX_VERSION_CODE >> 8 & 255,
           LINUX_VERSION_CODE & 255);
}
