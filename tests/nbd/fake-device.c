// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel's NBD device does, for a test of `qemu-nbd -c` where there is no such device:
 * preloaded, it takes the ioctl() calls of linux/nbd.h, writes them down in the file that
 * NBD_DEVICE_LOG names, and when the device is to run it is the client on the socket that it was
 * given: reads, writes, flushes, and disconnects.
 */
#include <dlfcn.h>
#include <endian.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NBD_TYPE 0xab
#define REQUEST_MAGIC 0x25609513u
#define REPLY_MAGIC 0x67446698u
#define BLOCK 4096

enum { SET_SOCKET = 0, RUN = 3 };
enum { READ = 0, WRITE = 1, DISCONNECT = 2, FLUSH = 3 };

int ioctl(int fd, unsigned long request, ...);

/* The socket that the program gave us; of the process. */
static int sock = -1;

static void note(const char *text, unsigned long a, unsigned long b)
{
    const char *name = getenv("NBD_DEVICE_LOG");
    FILE *f = name ? fopen(name, "a") : NULL;

    if (f) {
        fprintf(f, "%s %lu %lu\n", text, a, b);
        fclose(f);
    }
}

static int move_all(int writing, void *buf, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = writing ? write(sock, (char *)buf + done, len - done)
                            : read(sock, (char *)buf + done, len - done);

        if (n <= 0) {
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

static int call(uint32_t type, uint64_t from, uint32_t len, void *data)
{
    struct __attribute__((packed)) {
        uint32_t magic, type;
        uint64_t handle, from;
        uint32_t len;
    } request = {htobe32(REQUEST_MAGIC), htobe32(type), 7, htobe64(from), htobe32(len)};
    struct __attribute__((packed)) {
        uint32_t magic, error;
        uint64_t handle;
    } reply;

    if (move_all(1, &request, sizeof(request)) < 0 ||
        (type == WRITE && move_all(1, data, len) < 0)) {
        return -1;
    }
    if (type == DISCONNECT) {
        return 0;
    }
    if (move_all(0, &reply, sizeof(reply)) < 0 || reply.magic != htobe32(REPLY_MAGIC) ||
        reply.handle != 7 || (type == READ && !reply.error && move_all(0, data, len) < 0)) {
        return -1;
    }
    return (int)be32toh(reply.error);
}

static int run(void)
{
    uint8_t buf[BLOCK] = { 0 };

    int ret = call(READ, 0, BLOCK, buf);

    note("read", (unsigned long)ret, buf[BLOCK - 1]);
    memset(buf, 0x5a, BLOCK);
    note("write", (unsigned long)call(WRITE, 2 * BLOCK, BLOCK, buf), 0);
    note("flush", (unsigned long)call(FLUSH, 0, 0, NULL), 0);
    note("beyond", (unsigned long)call(READ, UINT64_C(1) << 40, BLOCK, buf), 0);
    call(DISCONNECT, 0, 0, NULL);
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    int (*real)(int, unsigned long, void *) =
        (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    va_list ap;
    void *arg;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (request == BLKROSET) {
        note("read-only", (unsigned long)*(int *)arg, 0);
        return 0;
    }
    if (_IOC_TYPE(request) != NBD_TYPE) {
        return real(fd, request, arg);
    }
    if (_IOC_NR(request) == SET_SOCKET) {
        sock = (int)(uintptr_t)arg;
        note("ioctl", SET_SOCKET, 0);
        return 0;
    }
    note("ioctl", _IOC_NR(request), _IOC_NR(request) == RUN ? 0 : (unsigned long)arg);
    return _IOC_NR(request) == RUN ? run() : 0;
}
