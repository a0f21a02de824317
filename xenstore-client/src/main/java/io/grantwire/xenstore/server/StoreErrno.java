package io.grantwire.xenstore.server;

/**
 * The errors a reply of type ERROR can carry; on the wire each is its own name. Source: the table
 * of errors in {@code xen/include/public/io/xs_wire.h}.
 */
enum StoreErrno {
    EINVAL,
    EACCES,
    EEXIST,
    EISDIR,
    ENOENT,
    ENOMEM,
    ENOSPC,
    EIO,
    ENOTEMPTY,
    ENOSYS,
    EROFS,
    EBUSY,
    EAGAIN,
    EISCONN,
    E2BIG,
    EPERM
}
