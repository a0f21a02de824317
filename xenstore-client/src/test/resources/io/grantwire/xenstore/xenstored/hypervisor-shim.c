/*
 * Answers the few hypervisor calls that the C xenstored makes, so that an unmodified one runs where there is no Xen:
 *
 *     cc -shared -fPIC -O2 -o hypervisor-shim.so hypervisor-shim.c
 *     SHIM_DIR=<dir> LD_PRELOAD=hypervisor-shim.so xenstored -N
 *
 * What the store does with keys, permissions, watches, transactions and quotas stays its own. Only these are made up:
 *
 *   domains         domain N lives as long as <dir>/domain-<N>.page exists; domain 0 always lives
 *   shared pages    that file, 4096 bytes, is the page with the domain's two rings
 *   event channels  4-byte port numbers, in machine order, that are written to the FIFO <dir>/doorbell ring xenstored's
 *                   end of that port; port 4095 says that some domain has died. In the other direction nothing is told:
 *                   whoever plays the guest looks at the ring.
 *
 * Covers Xen 4.15 to 4.20; prototypes as in the Xen tools' xenctrl.h, xengnttab.h and xenevtchn.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, DOMAIN_DIED = 4095, STORE_PORT = 1 };

static int doorbell = -1;
static char handle; /* what all the opaque handles point to */

static const char *in_dir(char *buf, size_t size, const char *name)
{
	const char *dir = getenv("SHIM_DIR");

	snprintf(buf, size, "%s/%s", dir ? dir : ".", name);
	return buf;
}

static int open_page(uint32_t domid, int more_flags)
{
	char name[32], path[512];

	snprintf(name, sizeof(name), "domain-%u.page", domid);
	return openat(AT_FDCWD, in_dir(path, sizeof(path), name), O_RDWR | O_CLOEXEC | more_flags, 0666);
}

static int alive(uint32_t domid)
{
	int fd = domid ? open_page(domid, 0) : 0;

	if (fd > 0)
		close(fd);
	return fd >= 0;
}

/* The kernel's way to tell xenstored where domain 0's page and port are. */

static int open_port_file(void)
{
	int fd = memfd_create("xsd_port", MFD_CLOEXEC);

	if (fd >= 0)
		dprintf(fd, "%d\n", STORE_PORT);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static int open_own_page(void)
{
	int fd = open_page(0, O_CREAT);

	if (fd >= 0 && ftruncate(fd, PAGE)) {
		close(fd);
		return -1;
	}
	return fd;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (!strcmp(path, "/proc/xen/xsd_port"))
		return open_port_file();
	if (!strcmp(path, "/proc/xen/xsd_kva"))
		return open_own_page();
	return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

/* libxenctrl */

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags)
{
	return &handle;
}

int xc_interface_close(void *xch)
{
	return 0;
}

/* Until 4.17. The structure begins with domid, ssidref, state bits and shutdown reason, a word each. */
int xc_domain_getinfo(void *xch, uint32_t first, unsigned max, uint32_t *info)
{
	if (!max || !alive(first))
		return 0;
	memset(info, 0, 4 * sizeof(*info));
	info[0] = first;
	return 1;
}

/* Since 4.18. The structure begins with a 16-bit domid, padding and a word of state bits. */
int xc_domain_getinfo_single(void *xch, uint32_t domid, uint32_t *info)
{
	if (!alive(domid)) {
		errno = ESRCH;
		return -1;
	}
	info[0] = domid & 0xffff;
	info[1] = 0;
	return 0;
}

/* libxengnttab */

void *xengnttab_open(void *logger, unsigned flags)
{
	return &handle;
}

int xengnttab_close(void *xgt)
{
	return 0;
}

int xengnttab_set_max_grants(void *xgt, uint32_t count)
{
	return 0;
}

void *xengnttab_map_grant_ref(void *xgt, uint32_t domid, uint32_t ref, int prot)
{
	int fd = open_page(domid, 0);
	void *page;

	if (fd < 0)
		return NULL;
	page = mmap(NULL, PAGE, prot, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

int xengnttab_unmap(void *xgt, void *start, uint32_t count)
{
	return munmap(start, (size_t)count * PAGE);
}

/* libxenevtchn */

void *xenevtchn_open(void *logger, unsigned flags)
{
	char path[512];

	in_dir(path, sizeof(path), "doorbell");
	if (mkfifo(path, 0666) && errno != EEXIST)
		return NULL;
	/* For writing, too: the last writer's close is not the end of the file. */
	doorbell = openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return doorbell < 0 ? NULL : &handle;
}

void *xenevtchn_fdopen(void *logger, int fd, unsigned flags)
{
	doorbell = fd;
	return &handle;
}

int xenevtchn_fd(void *xce)
{
	return doorbell;
}

int xenevtchn_bind_virq(void *xce, unsigned virq)
{
	return DOMAIN_DIED;
}

int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t remote_port)
{
	return (int)remote_port;
}

int xenevtchn_unbind(void *xce, uint32_t port)
{
	return 0;
}

int xenevtchn_pending(void *xce)
{
	uint32_t port;

	return read(doorbell, &port, sizeof(port)) == sizeof(port) ? (int)port : -1;
}

int xenevtchn_unmask(void *xce, uint32_t port)
{
	return 0;
}

int xenevtchn_notify(void *xce, uint32_t port)
{
	return 0;
}
