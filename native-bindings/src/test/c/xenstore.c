#include "../../jextract/libxenstore.h"

#include "golden.h"

int main(void) {
    versions();
    TYPE(struct xs_permissions);
    FIELD(struct xs_permissions, id);
    FIELD(struct xs_permissions, perms);
    CONSTANT(XS_OPEN_READONLY);
    CONSTANT(XS_OPEN_SOCKETONLY);
    CONSTANT(XS_PERM_ENOENT_OK);
    CONSTANT(XS_PERM_IGNORE);
    CONSTANT(XS_PERM_NONE);
    CONSTANT(XS_PERM_OWNER);
    CONSTANT(XS_PERM_READ);
    CONSTANT(XS_PERM_WRITE);
    CONSTANT(XS_UNWATCH);
    CONSTANT(XS_UNWATCH_FILTER);
    CONSTANT(XS_WATCH);
    CONSTANT(XS_WATCH_EVENT);
    CONSTANT(XS_WATCH_PATH);
    CONSTANT(XS_WATCH_TOKEN);
    return 0;
}
