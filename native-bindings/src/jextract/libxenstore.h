/* Entry header for jextract: libxenstore. */
#include <xenstore.h>
