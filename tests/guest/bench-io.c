// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What scripts/bench-guest.py runs inside of a Linux guest, statically linked: transfers between
 * a disk and O_DIRECT buffers, one at a time or 32 under way (the kernel's asynchronous I/O),
 * and streams over a TCP connection. Each job prints BEGIN before and BENCH with its amount
 * after it, so that who runs the emulator can take its CPU time in between.
 *
 *   bench-io disk DEVICE MIB [JOB [TIMES]]         bench-io net ADDRESS PORT MIB
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, BIG = 1 << 20, SMALL = 4096, TRIPS = 3000 };

typedef struct DiskJob {
    const char *name;
    bool write, random;
    uint32_t size;
    int depth;
} DiskJob;

static const DiskJob jobs[] = {
    {"seqwrite_1m", true, false, BIG, 1},      {"seqread_1m", false, false, BIG, 1},
    {"seqread_1m_q4", false, false, BIG, 4},   {"randwrite_4k", true, true, SMALL, 1},
    {"randread_4k", false, true, SMALL, 1},    {"randwrite_4k_q32", true, true, SMALL, 32},
    {"randread_4k_q32", false, true, SMALL, 32},
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void begin(const char *name)
{
    printf("BEGIN %s\n", name);
    fflush(stdout);
}

static void done(const char *name, uint64_t amount, uint64_t since_ns)
{
    printf("BENCH %s work=%llu ns=%llu\n", name, (unsigned long long)amount,
           (unsigned long long)(now_ns() - since_ns));
    fflush(stdout);
}

static int die(const char *what)
{
    perror(what);
    exit(1);
}

static void disk_job(int fd, const DiskJob *j, uint64_t bytes, uint8_t *buffers)
{
    static uint32_t seed = 40;
    static struct iocb control[DEPTH_MAX];
    struct io_event events[DEPTH_MAX];
    aio_context_t context = 0;
    uint64_t blocks = bytes / j->size, count = j->random ? blocks / 8 : blocks, sent = 0;

    if (syscall(SYS_io_setup, j->depth, &context) < 0) {
        die("io_setup");
    }
    begin(j->name);
    uint64_t since = now_ns();
    for (uint64_t ended = 0; ended < count;) {
        while (sent < count && sent - ended < (uint64_t)j->depth) {
            /* Slots end in any order; which buffer a transfer uses does not matter here. */
            uint32_t slot = (uint32_t)(sent % (uint64_t)j->depth);
            struct iocb *c = &control[slot];

            seed = seed * 1664525 + 1013904223;
            *c = (struct iocb){
                .aio_lio_opcode = j->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
                .aio_fildes = (uint32_t)fd,
                .aio_buf = (uintptr_t)(buffers + (size_t)slot * j->size),
                .aio_nbytes = j->size,
                .aio_offset = (int64_t)((j->random ? (seed >> 4) % blocks : sent) * j->size),
            };
            if (syscall(SYS_io_submit, context, 1, &c) != 1) {
                die("io_submit");
            }
            sent++;
        }
        long n = syscall(SYS_io_getevents, context, 1, DEPTH_MAX, events, NULL);
        if (n < 1) {
            die("io_getevents");
        }
        for (long i = 0; i < n; i++) {
            if (events[i].res != (int64_t)j->size) {
                errno = (int)-events[i].res;
                die(j->name);
            }
        }
        ended += (uint64_t)n;
    }
    if (j->write) {
        fsync(fd);
    }
    done(j->name, count, since);
    syscall(SYS_io_destroy, context);
}

/* All jobs, or the one of that name, several times where wanted. */
static int disk(const char *path, uint64_t bytes, const char *only, unsigned times)
{
    void *buffers;
    int fd = open(path, O_RDWR | O_DIRECT);

    if (fd < 0 || posix_memalign(&buffers, SMALL, 4 * BIG) != 0) {
        return die(path);
    }
    memset(buffers, 0x5a, 4 * BIG);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        bool wanted = only == NULL || strcmp(only, jobs[i].name) == 0;

        for (unsigned n = 0; wanted && n < times; n++) {
            disk_job(fd, &jobs[i], bytes, buffers);
        }
    }
    return 0;
}

static int net(const char *address, uint16_t port, uint64_t mib)
{
    static char buffer[256 << 10];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    inet_pton(AF_INET, address, &to.sin_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        return die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    begin("sends");
    uint64_t since = now_ns();
    for (uint64_t left = mib << 20; left > 0;) {
        ssize_t n = write(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));
        if (n <= 0) {
            return die("write");
        }
        left -= (uint64_t)n;
    }
    if (read(fd, buffer, 1) != 1) {
        return die("answer");
    }
    done("sends", mib, since);
    begin("receives");
    since = now_ns();
    if (write(fd, "r", 1) != 1) {
        return die("write");
    }
    for (uint64_t left = mib << 20; left > 0;) {
        ssize_t n = read(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));
        if (n <= 0) {
            return die("read");
        }
        left -= (uint64_t)n;
    }
    done("receives", mib, since);
    begin("trips");
    since = now_ns();
    for (int i = 0; i < TRIPS; i++) {
        if (write(fd, "p", 1) != 1 || read(fd, buffer, 1) != 1) {
            return die("trip");
        }
    }
    done("trips", TRIPS, since);
    return 0;
}

static unsigned number(const char *text)
{
    unsigned n = 0;

    return sscanf(text, "%u", &n) == 1 ? n : 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && argc <= 6 && strcmp(argv[1], "disk") == 0) {
        return disk(argv[2], (uint64_t)number(argv[3]) << 20, argv[4],
                    argc == 6 ? number(argv[5]) : 1);
    }
    if (argc == 5 && strcmp(argv[1], "net") == 0) {
        return net(argv[2], (uint16_t)number(argv[3]), number(argv[4]));
    }
    fprintf(stderr, "usage: bench-io disk DEVICE MIB [JOB [TIMES]] | net ADDRESS PORT MIB\n");
    return 2;
}
