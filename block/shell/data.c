// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-io: reading and writing, at once and asynchronously, with patterns and statistics. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "block/shell/shell.h"
#include "util/cutils.h"
#include "util/iov.h"

#define DEFAULT_PATTERN 0xcd
/* What a request may be at most, as 32-bit byte counts of whole sectors. */
#define MAX_REQUEST 2147483136ull

typedef enum IoKind {
    IO_READ,
    IO_WRITE,
    IO_ZERO,
    IO_COMPRESS,
    IO_DISCARD,
    IO_VM_READ,
    IO_VM_WRITE
} IoKind;

typedef struct IoRequest {
    IoShell *shell;
    const char *name;           /* of the command */
    IoKind kind;
    uint64_t offset, len;
    uint8_t *buf;               /* NULL: no data */
    struct iovec *iov;
    unsigned niov, flags;
    bool quiet, script, verbose, check, async;
    int pattern;                /* of the check */
    uint64_t check_offset, check_len;
    int64_t start_us;
    int ret;
    bool done;
} IoRequest;

static void request_free(IoRequest *r)
{
    free(r->buf);
    g_free(r->iov);
    g_free(r);
}

static int co_vm_rw(BlockNode *n, bool write, const IoRequest *r)
{
    BlockNode *f = block_skip_filters(n);

    return f->driver->co_vmstate_rw
               ? f->driver->co_vmstate_rw(f, write, r->offset, r->len, r->iov, r->niov)
               : -ENOTSUP;
}

static int co_run(IoRequest *r)
{
    BlockNode *n = r->shell->node;
    unsigned fua = r->shell->writethrough ? BLOCK_FUA : 0;

    if (r->kind != IO_VM_READ && r->kind != IO_VM_WRITE && !block_in_range(n, r->offset, r->len)) {
        return -EIO;
    }
    switch (r->kind) {
    case IO_READ:
        return co_block_preadv(n, r->offset, r->len, r->iov, r->niov);
    case IO_WRITE:
        return co_block_pwritev(n, r->offset, r->len, r->iov, r->niov, r->flags | fua);
    case IO_ZERO:
        return co_block_write_zeroes(n, r->offset, r->len, r->flags | fua);
    case IO_COMPRESS:
        return co_block_pwritev(n, r->offset, r->len, r->iov, r->niov, BLOCK_COMPRESSED);
    case IO_DISCARD:
        return co_block_discard(n, r->offset, r->len);
    default:
        return co_vm_rw(n, r->kind == IO_VM_WRITE, r);
    }
}

static const char *verb(const IoRequest *r)
{
    return r->kind == IO_READ || r->kind == IO_VM_READ ? "read"
           : r->kind == IO_DISCARD                     ? "discard"
                                                       : "wrote";
}

static void time_text(char *to, size_t size, double seconds, bool fixed)
{
    unsigned s = (unsigned)seconds, hundredths = (unsigned)((seconds - s) * 100);

    if (fixed || s >= 60) {
        snprintf(to, size, "%u:%02u:%02u.%02u", s / 3600, s / 60 % 60, s % 60, hundredths);
    } else {
        snprintf(to, size, "%02u.%02u sec", s, hundredths);
    }
}

static void print_report(const IoRequest *r)
{
    double seconds = MAX((double)(g_get_monotonic_time() - r->start_us), 1) / 1e6;
    char took[64];

    time_text(took, sizeof(took), seconds, r->script);
    if (r->script) {
        printf("%" G_GUINT64_FORMAT ",1,%s,%.3f,%.3f\n", r->len, took, (double)r->len / seconds,
               1 / seconds);
        return;
    }
    g_autofree char *size = io_size_text((double)r->len),
                    *rate = io_size_text((double)r->len / seconds);

    printf("%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " bytes at offset %" G_GUINT64_FORMAT "\n",
           verb(r), r->len, r->len, r->offset);
    printf("%s, 1 ops; %s (%s/sec and %.4f ops/sec)\n", size, took, rate, 1 / seconds);
}

static void dump(const IoRequest *r)
{
    for (uint64_t i = 0; i < r->len; i += 16) {
        unsigned n = (unsigned)MIN(r->len - i, 16);

        printf("%08" G_GINT64_MODIFIER "x:  ", r->offset + i);
        for (unsigned k = 0; k < n; k++) {
            printf("%02x ", r->buf[i + k]);
        }
        putchar(' ');
        for (unsigned k = 0; k < n; k++) {
            putchar(isalnum(r->buf[i + k]) ? r->buf[i + k] : '.');
        }
        putchar('\n');
    }
}

static bool matches(const IoRequest *r)
{
    for (uint64_t i = 0; i < r->check_len; i++) {
        if (r->buf[r->check_offset + i] != (uint8_t)r->pattern) {
            return false;
        }
    }
    return true;
}

/* What is said of a request that has ended. */
static int report(IoRequest *r)
{
    bool read = r->kind == IO_READ || r->kind == IO_VM_READ;
    int ret = r->ret;

    if (ret < 0) {
        printf("%s failed: %s\n", r->name, g_strerror(-ret));
        return ret;
    }
    if (read && r->check && !matches(r)) {
        printf("Pattern verification failed at offset %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
               " bytes\n",
               r->offset + r->check_offset, r->check_len);
        ret = -EINVAL;
    }
    if (r->quiet) {
        return ret;
    }
    if (r->verbose) {
        dump(r);
    }
    print_report(r);
    return ret;
}

static void co_request(void *opaque)
{
    IoRequest *r = opaque;

    co_graph_enter();
    r->ret = co_run(r);
    graph_leave();
    r->done = true;
    if (r->async) {
        report(r);
        fflush(stdout);
        r->shell->in_flight--;
        request_free(r);
    }
}

/* Takes r. */
static int submit(IoRequest *r)
{
    int ret;

    r->start_us = g_get_monotonic_time();
    if (r->async) {
        r->shell->in_flight++;
        coroutine_start(co_request, r);
        return 0;
    }
    block_run(co_request, r);
    ret = report(r);
    request_free(r);
    return ret;
}

/* ---- arguments ---- */

static bool parse_pattern(const char *text, int *value)
{
    char *end;
    int64_t v = g_ascii_strtoll(text, &end, 0);

    if (end == text || *end || v < 0 || v > 255) {
        printf("%s is not a valid pattern byte\n", text);
        return false;
    }
    *value = (int)v;
    return true;
}

static IoRequest *new_request(IoShell *s, IoKind kind, const char *name)
{
    IoRequest *r = g_new0(IoRequest, 1);

    r->shell = s;
    r->kind = kind;
    r->name = name;
    r->pattern = DEFAULT_PATTERN;
    return r;
}

static bool parse_length(const char *text, uint64_t *len, uint64_t most, const char *why)
{
    if (!io_number(text, len)) {
        return false;
    }
    if (*len > most) {
        printf("length cannot exceed %" G_GUINT64_FORMAT "%s, given %s\n", most, why, text);
        return false;
    }
    return true;
}

static bool make_buffer(IoRequest *r, int fill)
{
    void *p = NULL;

    if (posix_memalign(&p, 4096, MAX(r->len, 1)) != 0) {
        printf("no memory for %" G_GUINT64_FORMAT " bytes\n", r->len);
        return false;
    }
    r->buf = p;
    memset(p, fill, r->len);
    if (!r->iov) {
        r->iov = g_new0(struct iovec, 1);
        r->iov[0].iov_len = r->len;
        r->niov = 1;
    }
    for (unsigned i = 0; i < r->niov; i++) {
        r->iov[i].iov_base = p;
        p = (uint8_t *)p + r->iov[i].iov_len;
    }
    return true;
}

/* off len [len..] */
static bool parse_vector(IoRequest *r, char **words, int count)
{
    uint64_t total = 0;

    if (!io_number(words[0], &r->offset)) {
        return false;
    }
    r->niov = (unsigned)count - 1;
    r->iov = g_new0(struct iovec, r->niov);
    for (unsigned i = 0; i < r->niov; i++) {
        uint64_t len;

        if (!io_number(words[i + 1], &len)) {
            return false;
        }
        if (len > MAX_REQUEST || total > MAX_REQUEST - len) {
            printf("Argument '%s' exceeds maximum size %" G_GUINT64_FORMAT "\n", words[i + 1],
                   (uint64_t)MAX_REQUEST);
            return false;
        }
        r->iov[i].iov_len = len;
        total += len;
    }
    r->len = total;
    return true;
}

static int give_up(IoRequest *r, const char *name)
{
    if (name) {
        io_usage(io_find(name));
    }
    request_free(r);
    return -EINVAL;
}

static int run_read(IoShell *s, int argc, char **argv)
{
    IoRequest *r = new_request(s, IO_READ, "read");
    bool has_len = false, has_start = false;
    int c;

    while ((c = getopt(argc, argv, "abCl:pP:qs:v")) != -1) {
        switch (c) {
        case 'b': r->kind = IO_VM_READ; break;
        case 'C': r->script = true; break;
        case 'q': r->quiet = true; break;
        case 'v': r->verbose = true; break;
        case 'a': case 'p': break;
        case 'l':
            has_len = true;
            if (!io_number(optarg, &r->check_len)) {
                return give_up(r, NULL);
            }
            break;
        case 's':
            has_start = true;
            if (!io_number(optarg, &r->check_offset)) {
                return give_up(r, NULL);
            }
            break;
        case 'P':
            r->check = true;
            if (!parse_pattern(optarg, &r->pattern)) {
                return give_up(r, NULL);
            }
            break;
        default: return give_up(r, "read");
        }
    }
    if (optind != argc - 2 || ((has_len || has_start) && !r->check)) {
        return give_up(r, "read");
    }
    if (!io_number(argv[optind], &r->offset) ||
        !parse_length(argv[optind + 1], &r->len, MAX_REQUEST, "")) {
        return give_up(r, NULL);
    }
    if (!has_len) {
        r->check_len = r->len - MIN(r->check_offset, r->len);
    }
    if (r->check && (r->check_offset > r->len || r->check_len > r->len - r->check_offset)) {
        printf("pattern verification range exceeds end of read data\n");
        return give_up(r, NULL);
    }
    return make_buffer(r, 0xab) ? submit(r) : give_up(r, NULL);
}

static int run_vector_read(IoShell *s, int argc, char **argv, const char *name, const char *opts,
                           bool async)
{
    IoRequest *r = new_request(s, IO_READ, name);
    bool invalid = false;
    int c;

    while ((c = getopt(argc, argv, opts)) != -1) {
        switch (c) {
        case 'C': r->script = true; break;
        case 'q': r->quiet = true; break;
        case 'v': r->verbose = true; break;
        case 'i': invalid = true; break;
        case 'P':
            r->check = true;
            if (!parse_pattern(optarg, &r->pattern)) {
                return give_up(r, NULL);
            }
            break;
        default: return give_up(r, name);
        }
    }
    if (optind > argc - 2) {
        return give_up(r, name);
    }
    if (invalid) {
        request_free(r);
        return 0;
    }
    if (!parse_vector(r, argv + optind, argc - optind) || !make_buffer(r, 0xab)) {
        return give_up(r, NULL);
    }
    r->check_len = r->len;
    r->async = async;
    return submit(r);
}

static int run_readv(IoShell *s, int argc, char **argv)
{
    return run_vector_read(s, argc, argv, "readv", "CP:qv", false);
}

static int run_aio_read(IoShell *s, int argc, char **argv)
{
    return run_vector_read(s, argc, argv, "aio_read", "CP:iqv", true);
}

/* Fills the buffer with a file's bytes, again and again. */
static bool fill_from_file(IoRequest *r, const char *path)
{
    g_autofree char *data = NULL;
    g_autoptr(GError) err = NULL;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, &err)) {
        printf("%s: %s\n", path,
               strrchr(err->message, ':') ? strrchr(err->message, ':') + 2 : err->message);
        return false;
    }
    if (len == 0) {
        printf("%s: file name is empty\n", path);
        return false;
    }
    for (uint64_t i = 0; i < r->len; i += len) {
        memcpy(r->buf + i, data, MIN(len, r->len - i));
    }
    return true;
}

typedef struct WriteFlags {
    bool vm, compress, fua, no_fallback, pattern, unmap, zero;
    const char *source;
} WriteFlags;

static bool parse_write(IoRequest *r, WriteFlags *f, int argc, char **argv, const char *opts,
                        bool *usage)
{
    int c;

    while ((c = getopt(argc, argv, opts)) != -1) {
        switch (c) {
        case 'b': f->vm = true; break;
        case 'c': f->compress = true; break;
        case 'C': r->script = true; break;
        case 'f': f->fua = true; break;
        case 'n': f->no_fallback = true; break;
        case 'q': r->quiet = true; break;
        case 'u': f->unmap = true; break;
        case 'z': f->zero = true; break;
        case 's': f->source = optarg; break;
        case 'p': case 'i': break;
        case 'P':
            f->pattern = true;
            if (!parse_pattern(optarg, &r->pattern)) {
                return false;
            }
            break;
        default:
            *usage = true;
            return false;
        }
    }
    const char *clash = f->vm && f->zero ? "-b and -z cannot be specified at the same time"
                        : f->fua && (f->vm || f->compress)
                            ? "-f and -b or -c cannot be specified at the same time"
                        : f->no_fallback && !f->zero ? "-n requires -z to be specified"
                        : f->unmap && !f->zero       ? "-u requires -z to be specified"
                        : f->zero + f->pattern + (f->source != NULL) > 1
                            ? "Only one of -z, -P, and -s can be specified at the same time"
                            : NULL;

    if (clash) {
        printf("%s\n", clash);
    }
    return clash == NULL;
}

static int run_write(IoShell *s, int argc, char **argv)
{
    IoRequest *r = new_request(s, IO_WRITE, "write");
    WriteFlags f = { 0 };
    bool usage = false;

    if (!parse_write(r, &f, argc, argv, "bcCfnpP:qs:uz", &usage)) {
        return give_up(r, usage ? "write" : NULL);
    }
    if (optind != argc - 2) {
        return give_up(r, "write");
    }
    r->kind = f.zero ? IO_ZERO : f.vm ? IO_VM_WRITE : f.compress ? IO_COMPRESS : IO_WRITE;
    r->flags = (f.fua ? BLOCK_FUA : 0) | (f.unmap ? BLOCK_MAY_UNMAP : 0) |
               (f.no_fallback ? BLOCK_NO_FALLBACK : 0);
    if (!io_number(argv[optind], &r->offset) ||
        !parse_length(argv[optind + 1], &r->len, f.no_fallback ? INT64_MAX : MAX_REQUEST,
                      " without -n")) {
        return give_up(r, NULL);
    }
    if (f.vm || f.compress) {
        if ((r->offset | r->len) % 512) {
            printf("%" G_GUINT64_FORMAT " is not a sector-aligned value for '%s'\n",
                   r->offset % 512 ? r->offset : r->len, r->offset % 512 ? "offset" : "count");
            return give_up(r, NULL);
        }
    }
    if (!f.zero && (!make_buffer(r, r->pattern) || (f.source && !fill_from_file(r, f.source)))) {
        return give_up(r, NULL);
    }
    return submit(r);
}

static int run_writev(IoShell *s, int argc, char **argv)
{
    IoRequest *r = new_request(s, IO_WRITE, "writev");
    WriteFlags f = { 0 };
    bool usage = false;

    if (!parse_write(r, &f, argc, argv, "CfP:q", &usage) || optind > argc - 2) {
        return give_up(r, usage || optind > argc - 2 ? "writev" : NULL);
    }
    r->flags = f.fua ? BLOCK_FUA : 0;
    if (!parse_vector(r, argv + optind, argc - optind) || !make_buffer(r, r->pattern)) {
        return give_up(r, NULL);
    }
    return submit(r);
}

static int run_aio_write(IoShell *s, int argc, char **argv)
{
    IoRequest *r = new_request(s, IO_WRITE, "aio_write");
    WriteFlags f = { 0 };
    bool usage = false;

    if (!parse_write(r, &f, argc, argv, "CfiP:quz", &usage) || optind > argc - 2) {
        return give_up(r, usage || optind > argc - 2 ? "aio_write" : NULL);
    }
    if (f.zero && optind != argc - 2) {
        printf("-z supports only a single length parameter\n");
        return give_up(r, NULL);
    }
    r->kind = f.zero ? IO_ZERO : IO_WRITE;
    r->flags = (f.fua ? BLOCK_FUA : 0) | (f.unmap ? BLOCK_MAY_UNMAP : 0);
    if (!parse_vector(r, argv + optind, argc - optind) ||
        (!f.zero && !make_buffer(r, r->pattern))) {
        return give_up(r, NULL);
    }
    r->async = true;
    return submit(r);
}

static int run_aio_flush(IoShell *s, int argc, char **argv)
{
    io_shell_drain(s);
    return 0;
}

static int run_flush(IoShell *s, int argc, char **argv)
{
    return block_flush_node(s->node);
}

static int run_discard(IoShell *s, int argc, char **argv)
{
    IoRequest *r = new_request(s, IO_DISCARD, "discard");
    int c;

    while ((c = getopt(argc, argv, "Cq")) != -1) {
        switch (c) {
        case 'C': r->script = true; break;
        case 'q': r->quiet = true; break;
        default: return give_up(r, "discard");
        }
    }
    if (optind != argc - 2) {
        return give_up(r, "discard");
    }
    if (!io_number(argv[optind], &r->offset) ||
        !parse_length(argv[optind + 1], &r->len, MAX_REQUEST, "")) {
        return give_up(r, NULL);
    }
    return submit(r);
}

#define SEGMENT(what) "\n " what " of the currently open file"
#define STATISTICS " -C, -- report statistics in a machine parsable format\n"
#define QUIET " -q, -- quiet mode, do not show I/O statistics\n"
#define DUMP " -v, -- dump buffer to standard output\n"
#define PATTERN_READ " -P, -- use a pattern to verify read data\n"
#define PATTERN_WRITE " -P, -- use different pattern to fill file\n"
#define FUA_HELP " -f, -- use Force Unit Access semantics\n"
#define READS                                                                                  \
    SEGMENT("Reads a segment")                                                                 \
    ", optionally dumping it to the\n standard output stream (with -v option) for subsequent " \
    "inspection.\n"
#define WRITES                                                                       \
    SEGMENT("Writes into a segment") ", using a buffer\n filled with a set pattern " \
                                     "(0xcdcdcdcd).\n"
#define LATER(what)                                                                           \
    " The " what " is performed asynchronously and the aio_flush command must be\n"           \
    " used to ensure all outstanding aio requests have been completed.\n"                     \
    " Note that due to its asynchronous nature, this command will be\n"                       \
    " considered successful once the request is submitted, independently\n of potential I/O " \
    "errors or pattern mismatches.\n"

const IoCommand io_data_commands[] = {
    { "read", "r", run_read, 2, -1, .args = "[-abCqv] [-P pattern [-s off] [-l len]] off len ",
      .summary = "reads a number of bytes at a specified offset",
      .help = "\n reads a range of bytes from the given offset\n\n Example:\n"
              " 'read -v 512 1k' - dumps 1 kilobyte read from 512 bytes into the file\n" READS
              " -b, -- read from the VM state rather than the virtual disk\n" STATISTICS
              " -l, -- length for pattern verification (only with -P)\n -p, -- ignored for backwards compatibility\n"
              PATTERN_READ QUIET " -s, -- start offset for pattern verification (only with -P)\n" DUMP "\n" },
    { "readv", NULL, run_readv, 2, -1, .args = "[-Cqv] [-P pattern] off len [len..] ",
      .summary = "reads a number of bytes at a specified offset",
      .help = "\n reads a range of bytes from the given offset into multiple buffers\n\n Example:\n"
              " 'readv -v 512 1k 1k ' - dumps 2 kilobytes read from 512 bytes into the file\n" READS
              " Uses multiple iovec buffers if more than one byte range is specified.\n" STATISTICS PATTERN_READ DUMP QUIET "\n" },
    { "write", "w", run_write, 2, -1, .writes = true, .args = "[-bcCfnquz] [-P pattern | -s source_file] off len ",
      .summary = "writes a number of bytes at a specified offset",
      .help = "\n writes a range of bytes from the given offset\n\n Example:\n"
              " 'write 512 1k' - writes 1 kilobyte at 512 bytes into the open file\n" WRITES
              " -b, -- write to the VM state rather than the virtual disk\n"
              " -c, -- write compressed data with blk_write_compressed\n" FUA_HELP
              " -n, -- with -z, don't allow slow fallback\n -p, -- ignored for backwards compatibility\n" PATTERN_WRITE
              " -s, -- use a pattern file to fill the write buffer\n" STATISTICS QUIET
              " -u, -- with -z, allow unmapping\n -z, -- write zeroes using blk_co_pwrite_zeroes\n\n" },
    { "writev", NULL, run_writev, 2, -1, .writes = true, .args = "[-Cfq] [-P pattern] off len [len..] ",
      .summary = "writes a number of bytes at a specified offset",
      .help = "\n writes a range of bytes from the given offset source from multiple buffers\n\n Example:\n"
              " 'writev 512 1k 1k' - writes 2 kilobytes at 512 bytes into the open file\n" WRITES PATTERN_WRITE STATISTICS
              FUA_HELP QUIET "\n" },
    { "aio_read", NULL, run_aio_read, 2, -1, .args = "[-Ciqv] [-P pattern] off len [len..] ",
      .summary = "asynchronously reads a number of bytes",
      .help = "\n asynchronously reads a range of bytes from the given offset\n\n Example:\n"
              " 'aio_read -v 512 1k 1k ' - dumps 2 kilobytes read from 512 bytes into the file\n" READS LATER("read")
              STATISTICS PATTERN_READ " -i, -- treat request as invalid, for exercising stats\n" DUMP QUIET "\n" },
    { "aio_write", NULL, run_aio_write, 2, -1, .writes = true, .args = "[-Cfiquz] [-P pattern] off len [len..] ",
      .summary = "asynchronously writes a number of bytes",
      .help = "\n asynchronously writes a range of bytes from the given offset source\n from multiple buffers\n\n Example:\n"
              " 'aio_write 512 1k 1k' - writes 2 kilobytes at 512 bytes into the open file\n" WRITES LATER("write")
              PATTERN_WRITE STATISTICS FUA_HELP " -i, -- treat request as invalid, for exercising stats\n" QUIET
              " -u, -- with -z, allow unmapping\n -z, -- write zeroes using blk_aio_pwrite_zeroes\n\n" },
    { "aio_flush", NULL, run_aio_flush, 0, 0, .summary = "completes all outstanding aio requests" },
    { "flush", "f", run_flush, 0, 0, .summary = "flush all in-core file state to disk" },
    { "discard", "d", run_discard, 2, -1, .writes = true, .args = "[-Cq] off len ",
      .summary = "discards a number of bytes at a specified offset",
      .help = "\n discards a range of bytes from the given offset\n\n Example:\n"
              " 'discard 512 1k' - discards 1 kilobyte from 512 bytes into the file\n" SEGMENT("Discards a segment") ".\n"
              STATISTICS QUIET "\n" },
    { NULL },
};
