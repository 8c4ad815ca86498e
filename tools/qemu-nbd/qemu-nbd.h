// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-nbd: its arguments and parts. */
#ifndef TOOLS_QEMU_NBD_H
#define TOOLS_QEMU_NBD_H

#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/socket.h"

typedef struct NbdArgs {
    const char *file, *format, *cache, *discard, *detect_zeroes, *load_snapshot;
    const char *port, *bind, *socket, *export_name, *description, *bitmap, *tls_creds, *tls_hostname, *tls_authz, *selinux_label,
        *pid_file;
    const char *device, *disconnect;
    unsigned open_flags;        /* BLOCK_OPEN_* of aio */
    bool image_opts, read_only, snapshot, persistent, verbose, fork, list, allocation_depth;
    unsigned shared;            /* 0: any number */
    uint64_t offset;
    GPtrArray *objects;
} NbdArgs;

/* -1: go on; otherwise the exit status. */
int nbd_parse_args(int argc, char **argv, NbdArgs *a);
int list_exports(const NbdArgs *a);
/* Connects the kernel's device to our own socket, in a thread that ends with the device. */
bool kernel_connect_start(pthread_t *thread, const NbdArgs *a, GError **error);
int kernel_disconnect(const char *device);

#endif
