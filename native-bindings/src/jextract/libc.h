/* Entry header for jextract: the C library calls that io.grantwire.bindings wraps. */
#define _GNU_SOURCE 1
#include <features.h>
/* In GNU mode glibc declares socket addresses as transparent unions, which do not translate; so take
   the GNU parts (struct ucred) from the inner header and the calls without GNU mode. */
#include <stddef.h>
#include <bits/types/struct_iovec.h>
#define _SYS_SOCKET_H 1
#include <bits/socket.h>
#undef _SYS_SOCKET_H
#undef __USE_GNU
#include <sys/socket.h>
#define __USE_GNU 1
extern int accept4(int fd, struct sockaddr *addr, socklen_t *addr_len, int flags);
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <net/if.h>
