// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-nbd -c and -d: the kernel's NBD devices (linux/nbd.h). The handshake is ours, the rest the
 * kernel's.
 */
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "block/nbd/client.h"
#include "block/tool.h"
#include "tools/qemu-nbd/qemu-nbd.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/thread.h"

#define SECTOR 512ul

/* Requests of linux/nbd.h, whose other names clash with ours. */
#define DEV_SET_SOCKET _IO(0xab, 0)
#define DEV_SET_BLOCK _IO(0xab, 1)
#define DEV_RUN _IO(0xab, 3)
#define DEV_CLEAR_SOCKET _IO(0xab, 4)
#define DEV_CLEAR_QUEUE _IO(0xab, 5)
#define DEV_SET_BLOCKS _IO(0xab, 7)
#define DEV_DISCONNECT _IO(0xab, 8)
#define DEV_SET_FLAGS _IO(0xab, 10)

/* The connection that the kernel takes over; of the process. */
static struct {
    int device;
    CoChannel *channel;
    GError *err;
    SocketPlace place;
    NbdConnect how;
    NbdInfo info;
    bool done;
} kernel;

static void co_connect(void *opaque)
{
    kernel.channel = co_nbd_client_connect(&kernel.place, &kernel.err);
    if (kernel.channel &&
        !co_nbd_client_handshake(kernel.channel, &kernel.how, &kernel.info, &kernel.err)) {
        channel_free(kernel.channel);
        kernel.channel = NULL;
    }
    kernel.done = true;
}

/* Stays in the kernel until the device is disconnected. */
static void *device_main(void *opaque)
{
    ioctl(kernel.device, DEV_RUN);
    ioctl(kernel.device, DEV_CLEAR_QUEUE);
    ioctl(kernel.device, DEV_CLEAR_SOCKET);
    close(kernel.device);
    return NULL;
}

static bool set_device(GError **error)
{
    int read_only = (kernel.info.flags & NBD_READ_ONLY) != 0, fd = channel_fd(kernel.channel);

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    if (ioctl(kernel.device, DEV_CLEAR_SOCKET) < 0 ||
        ioctl(kernel.device, DEV_SET_SOCKET, (unsigned long)fd) < 0) {
        return fail_errno(error, errno, "Failed to set NBD socket");
    }
    if (ioctl(kernel.device, DEV_SET_BLOCK, SECTOR) < 0 ||
        ioctl(kernel.device, DEV_SET_BLOCKS, (unsigned long)(kernel.info.size / SECTOR)) < 0) {
        return fail_errno(error, errno, "Failed setting size (in blocks)");
    }
    if (ioctl(kernel.device, DEV_SET_FLAGS, (unsigned long)kernel.info.flags) < 0 &&
        errno != ENOTTY) {
        return fail_errno(error, errno, "Failed setting flags");
    }
    return ioctl(kernel.device, BLKROSET, &read_only) >= 0 ||
           fail_errno(error, errno, "Setting read-only attribute failed");
}

bool kernel_connect_start(pthread_t *thread, const NbdArgs *a, GError **error)
{
    kernel.device = open(a->device, O_RDWR | O_CLOEXEC);
    if (kernel.device < 0) {
        return fail_errno(error, errno, "Failed to open %s", a->device);
    }
    kernel.place = (SocketPlace){ .kind = SOCKET_UNIX, .path = a->socket };
    kernel.how =
        (NbdConnect){ .export = a->export_name ? a->export_name : "", .simple = true };
    coroutine_start(co_connect, NULL);
    while (!kernel.done) {
        main_loop_iterate(true);
    }
    if (!kernel.channel) {
        g_propagate_error(error, kernel.err);
        return false;
    }
    return set_device(error) && thread_start(thread, "nbd-device", device_main, NULL, error);
}

int kernel_disconnect(const char *device)
{
    int fd = open(device, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return tool_error("Cannot open %s: %s", device, g_strerror(errno));
    }
    ioctl(fd, DEV_CLEAR_QUEUE);
    ioctl(fd, DEV_DISCONNECT);
    ioctl(fd, DEV_CLEAR_SOCKET);
    close(fd);
    printf("%s disconnected\n", device);
    return 0;
}
