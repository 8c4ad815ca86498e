// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Semihosting by the host: names, handles and bytes as ARM 100863 has them, which other
 * architectures took over. Contract: include/exec/semihost.h. What may take long on the host is
 * never waited for in one piece: the vCPU looks around every few milliseconds.
 */
#include "exec/semihost.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/loader.h"
#include "exec/memory.h"
#include "qom/runstate.h"
#include "qom/vm.h"
#include "util/main-loop.h"
#include "util/rcu.h"

enum {
    NAME_LIMIT = 4096,
    CHUNK = 65536,
    MOVE_LIMIT = 256 * 1024 * 1024, /* bytes in one call */
    WAIT_MS = 20,
    HANDLE_LIMIT = 1024,
};

/* What ":semihosting-features" reads as: both extensions are there (ARM 100863, feature bits). */
static const uint8_t features[] = {'S', 'H', 'F', 'B', 3};

typedef enum FileKind {
    FILE_FREE,
    FILE_HOST,
    FILE_CONSOLE,
    FILE_FEATURES,
    FILE_GDB
} FileKind;

typedef struct SemihostFile {
    FileKind kind;
    int fd; /* the host's, or the debugger's */
    bool own; /* to be closed */
    size_t offset; /* FEATURES */
} SemihostFile;

/* What the process was asked for; and, by the lock below, the guest's open files. */
static SemihostConfig config;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SemihostFile files[HANDLE_LIMIT];
/* A command that was started for the guest and has not ended; 0: none. */
static pid_t child;
/* How far a write to a slow console has come: of this vCPU, at this address. */
static struct {
    const Cpu *cpu;
    uint64_t va;
    size_t done;
} progress;

SemihostConfig *semihost_config(void)
{
    return &config;
}

char *semihost_command_line(const Vm *vm)
{
    GString *s = g_string_new(NULL);

    if (config.args) {
        for (unsigned i = 0; i < config.args->len; i++) {
            g_string_append_printf(s, "%s%s", i ? " " : "", (const char *)config.args->pdata[i]);
        }
    } else if (vm->kernel) {
        g_string_append(s, vm->kernel);
        if (vm->append) {
            g_string_append_printf(s, " %s", vm->append);
        }
    }
    return g_string_free(s, FALSE);
}

/* ---- guest memory ---- */

static bool move(Cpu *cpu, uint64_t va, void *buf, size_t len, bool write)
{
    machine_lock();
    bool ok = len == 0 || cpu_debug_rw(cpu, va, buf, len, write);
    machine_unlock();
    return ok;
}

bool semihost_load(Cpu *cpu, uint64_t va, void *buf, size_t len)
{
    return move(cpu, va, buf, len, false);
}

bool semihost_store(Cpu *cpu, uint64_t va, const void *buf, size_t len)
{
    return move(cpu, va, (void *)buf, len, true);
}

/* A name of len bytes with its 0, new; NULL with *err. */
static char *load_name(Cpu *cpu, uint64_t va, uint64_t len, int *err)
{
    if (len >= NAME_LIMIT) {
        *err = ENAMETOOLONG;
        return NULL;
    }
    g_autofree char *name = g_malloc0(len + 1);

    if (!semihost_load(cpu, va, name, len + 1)) {
        *err = EFAULT;
        return NULL;
    }
    if (name[len] != 0 || strlen(name) != len) {
        *err = EINVAL;
        return NULL;
    }
    return g_steal_pointer(&name);
}

/* ---- answers ---- */

static SemihostState answer(Cpu *cpu, SemihostDone *done, uint64_t aux, int64_t value, int err)
{
    done(cpu, aux, value, err);
    return SEMIHOST_DONE;
}

static bool by_gdb(void)
{
    if (config.target == SEMIHOST_NATIVE || !config.gdb) {
        return false;
    }
    machine_lock();
    bool ready = config.gdb->ready();
    machine_unlock();
    return ready;
}

static SemihostState ask_gdb(Cpu *cpu, SemihostDone *done, uint64_t aux, const char *request)
{
    machine_lock();
    config.gdb->ask(cpu, request, done, aux);
    machine_unlock();
    return SEMIHOST_PENDING;
}

/* ---- handles ---- */

/* A copy of what a handle stands for; false: nothing. */
static bool file_get(uint64_t handle, SemihostFile *f)
{
    bool there = false;

    pthread_mutex_lock(&lock);
    if (handle > 0 && handle < HANDLE_LIMIT && files[handle].kind != FILE_FREE) {
        *f = files[handle];
        there = true;
    }
    pthread_mutex_unlock(&lock);
    return there;
}

/* The handle, or -1: there are too many. */
static int64_t file_add(const SemihostFile *f)
{
    int64_t handle = -1;

    pthread_mutex_lock(&lock);
    for (unsigned i = 1; i < HANDLE_LIMIT && handle < 0; i++) {
        if (files[i].kind == FILE_FREE) {
            files[i] = *f;
            handle = i;
        }
    }
    pthread_mutex_unlock(&lock);
    return handle;
}

static SemihostState add_answer(Cpu *cpu, SemihostDone *done, uint64_t aux, SemihostFile f)
{
    int64_t handle = file_add(&f);

    if (handle < 0 && f.own) {
        close(f.fd);
    }
    return answer(cpu, done, aux, handle, handle < 0 ? EMFILE : 0);
}

/* An answer of the debugger's to an open; aux is an index of `openings`. */
typedef struct Opening {
    SemihostDone *done;
    uint64_t aux;
} Opening;

static void gdb_opened(Cpu *cpu, uint64_t aux, int64_t value, int err)
{
    g_autofree Opening *o = (Opening *)(uintptr_t)aux;

    if (value >= 0) {
        value = file_add(&(SemihostFile){.kind = FILE_GDB, .fd = (int)value});
        err = value < 0 ? EMFILE : 0;
    }
    o->done(cpu, o->aux, value, err);
}

SemihostState semihost_open(Cpu *cpu, uint64_t name_va, uint64_t len, unsigned mode,
                            SemihostDone *done, uint64_t aux)
{
    static const int flags[] = {O_RDONLY,
                                O_RDWR,
                                O_WRONLY | O_CREAT | O_TRUNC,
                                O_RDWR | O_CREAT | O_TRUNC,
                                O_WRONLY | O_CREAT | O_APPEND,
                                O_RDWR | O_CREAT | O_APPEND};
    static const unsigned gdb_flags[] = {0, 2, 0x601, 0x602, 0x209, 0x20a};
    int err = EINVAL;
    g_autofree char *name = mode < SEMIHOST_MODES ? load_name(cpu, name_va, len, &err) : NULL;

    if (!name) {
        return answer(cpu, done, aux, -1, err);
    }
    if (strcmp(name, ":semihosting-features") == 0) {
        return mode > 1 ? answer(cpu, done, aux, -1, EACCES)
                        : add_answer(cpu, done, aux, (SemihostFile){.kind = FILE_FEATURES});
    }
    if (strcmp(name, ":tt") == 0) {
        int fd = mode < 4 ? 0 : mode < 8 ? 1 : 2;
        bool gdb = by_gdb();

        return add_answer(cpu, done, aux,
                          (SemihostFile){.kind = gdb                              ? FILE_GDB
                                                 : config.console.write && fd < 2 ? FILE_CONSOLE
                                                                                  : FILE_HOST,
                                         .fd = fd});
    }
    if (by_gdb()) {
        g_autofree char *request = g_strdup_printf("Fopen,%" PRIx64 "/%" PRIx64 ",%x,1a4", name_va,
                                                   len + 1, gdb_flags[mode / 2]);
        Opening *o = g_new(Opening, 1);

        *o = (Opening){done, aux};
        return ask_gdb(cpu, gdb_opened, (uintptr_t)o, request);
    }
    int fd = open(name, flags[mode / 2] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);

    return fd < 0 ? answer(cpu, done, aux, -1, errno)
                  : add_answer(cpu, done, aux,
                               (SemihostFile){.kind = FILE_HOST, .fd = fd, .own = true});
}

SemihostState semihost_close(Cpu *cpu, uint64_t handle, SemihostDone *done, uint64_t aux)
{
    SemihostFile f;

    if (!file_get(handle, &f)) {
        return answer(cpu, done, aux, -1, EBADF);
    }
    pthread_mutex_lock(&lock);
    files[handle].kind = FILE_FREE;
    pthread_mutex_unlock(&lock);
    if (f.kind == FILE_GDB && f.fd > 2) {
        g_autofree char *request = g_strdup_printf("Fclose,%x", f.fd);

        return ask_gdb(cpu, done, aux, request);
    }
    int r = f.own ? close(f.fd) : 0;

    return answer(cpu, done, aux, r, r < 0 ? errno : 0);
}

/* ---- bytes ---- */

/* Whether fd can be read or written now; waits a moment. */
static bool fd_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, WAIT_MS) != 0;
}

/* Reads from the console, a moment's wait included. */
static size_t console_take(uint8_t *buf, size_t len)
{
    machine_lock();
    size_t n = config.console.read(config.console.opaque, buf, len);
    machine_unlock();
    if (n == 0) {
        g_usleep(WAIT_MS * 1000 / 4);
    }
    return n;
}

static size_t console_give(const uint8_t *buf, size_t len)
{
    machine_lock();
    size_t n = config.console.write(config.console.opaque, buf, len);
    machine_unlock();
    if (n == 0) {
        g_usleep(WAIT_MS * 1000 / 4);
    }
    return n;
}

/* At most `room` bytes; 0: end of file, -1: errno; EAGAIN: not now. */
static ssize_t take(const SemihostFile *f, uint8_t *buf, size_t room)
{
    ssize_t n;

    if (f->kind == FILE_CONSOLE) {
        n = (ssize_t)console_take(buf, room);
        errno = EAGAIN;
        return n ? n : -1;
    }
    if (!fd_ready(f->fd, POLLIN)) {
        errno = EAGAIN;
        return -1;
    }
    do {
        n = read(f->fd, buf, room);
    } while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t give(const SemihostFile *f, const uint8_t *buf, size_t len)
{
    ssize_t n;

    if (f->kind == FILE_CONSOLE) {
        n = (ssize_t)console_give(buf, len);
        errno = EAGAIN;
        return n ? n : -1;
    }
    if (!fd_ready(f->fd, POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    do {
        n = write(f->fd, buf, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

static SemihostState read_features(Cpu *cpu, uint64_t handle, uint64_t va, uint64_t len,
                                   SemihostDone *done, uint64_t aux)
{
    size_t at = files[handle].offset, n = MIN(len, sizeof(features) - at);

    if (!semihost_store(cpu, va, features + at, n)) {
        return answer(cpu, done, aux, -1, EFAULT);
    }
    files[handle].offset = at + n;
    return answer(cpu, done, aux, (int64_t)n, 0);
}

static bool is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

SemihostState semihost_read(Cpu *cpu, uint64_t handle, uint64_t va, uint64_t len,
                            SemihostDone *done, uint64_t aux)
{
    SemihostFile f;
    uint64_t moved = 0;
    uint8_t probe = 0;

    if (!file_get(handle, &f)) {
        return answer(cpu, done, aux, -1, EBADF);
    }
    len = MIN(len, MOVE_LIMIT);
    if (f.kind == FILE_FEATURES) {
        return read_features(cpu, handle, va, len, done, aux);
    }
    if (f.kind == FILE_GDB) {
        g_autofree char *request = g_strdup_printf("Fread,%x,%" PRIx64 ",%" PRIx64, f.fd, va, len);

        return ask_gdb(cpu, done, aux, request);
    }
    if (len &&
        (!semihost_load(cpu, va, &probe, 1) || !semihost_load(cpu, va + (len - 1), &probe, 1))) {
        return answer(cpu, done, aux, -1, EFAULT); /* before bytes are taken from a terminal */
    }
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    bool all = f.kind == FILE_HOST && is_regular(f.fd);

    while (moved < len) {
        ssize_t n = take(&f, buf, MIN(CHUNK, len - moved));

        if (n < 0 && errno == EAGAIN && !moved) {
            return SEMIHOST_AGAIN;
        }
        if (n < 0 && !moved) {
            return answer(cpu, done, aux, -1, errno);
        }
        if (n <= 0) {
            break;
        }
        if (!semihost_store(cpu, va + moved, buf, (size_t)n)) {
            return answer(cpu, done, aux, -1, EFAULT);
        }
        moved += (uint64_t)n;
        if (!all) {
            break; /* what a terminal has, not what was asked for */
        }
    }
    return answer(cpu, done, aux, (int64_t)moved, 0);
}

/* Where this write began, in case that it is one which goes on. */
static uint64_t progress_of(const Cpu *cpu, uint64_t va)
{
    pthread_mutex_lock(&lock);
    uint64_t n = progress.cpu == cpu && progress.va == va ? progress.done : 0;
    if (progress.cpu == cpu) {
        progress.cpu = NULL;
    }
    pthread_mutex_unlock(&lock);
    return n;
}

static SemihostState go_on_later(const Cpu *cpu, uint64_t va, uint64_t done)
{
    pthread_mutex_lock(&lock);
    progress.cpu = cpu;
    progress.va = va;
    progress.done = done;
    pthread_mutex_unlock(&lock);
    return SEMIHOST_AGAIN;
}

static SemihostState write_to(Cpu *cpu, const SemihostFile *f, uint64_t va, uint64_t len,
                              SemihostDone *done, uint64_t aux)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    uint64_t moved = MIN(progress_of(cpu, va), len);

    while (moved < len) {
        size_t part = MIN(CHUNK, len - moved);

        if (!semihost_load(cpu, va + moved, buf, part)) {
            return answer(cpu, done, aux, moved ? (int64_t)moved : -1, EFAULT);
        }
        ssize_t n = give(f, buf, part);

        if (n < 0 && errno == EAGAIN) {
            return go_on_later(cpu, va, moved);
        }
        if (n <= 0) {
            return answer(cpu, done, aux, moved ? (int64_t)moved : -1, n ? errno : 0);
        }
        moved += (uint64_t)n;
    }
    return answer(cpu, done, aux, (int64_t)moved, 0);
}

SemihostState semihost_write(Cpu *cpu, uint64_t handle, uint64_t va, uint64_t len,
                             SemihostDone *done, uint64_t aux)
{
    SemihostFile f;

    if (!file_get(handle, &f) || f.kind == FILE_FEATURES) {
        return answer(cpu, done, aux, -1, EBADF);
    }
    len = MIN(len, MOVE_LIMIT);
    if (f.kind == FILE_GDB) {
        g_autofree char *request = g_strdup_printf("Fwrite,%x,%" PRIx64 ",%" PRIx64, f.fd, va, len);

        return ask_gdb(cpu, done, aux, request);
    }
    return write_to(cpu, &f, va, len, done, aux);
}

/* ---- about files ---- */

SemihostState semihost_isatty(Cpu *cpu, uint64_t handle, SemihostDone *done, uint64_t aux)
{
    SemihostFile f;

    if (!file_get(handle, &f)) {
        return answer(cpu, done, aux, -1, EBADF);
    }
    if (f.kind == FILE_GDB) {
        g_autofree char *request = g_strdup_printf("Fisatty,%x", f.fd);

        return ask_gdb(cpu, done, aux, request);
    }
    int tty = f.kind == FILE_CONSOLE || (f.kind == FILE_HOST && isatty(f.fd));

    return answer(cpu, done, aux, tty, tty ? 0 : ENOTTY);
}

SemihostState semihost_seek(Cpu *cpu, uint64_t handle, uint64_t offset, SemihostDone *done,
                            uint64_t aux)
{
    SemihostFile f;

    if (!file_get(handle, &f)) {
        return answer(cpu, done, aux, -1, EBADF);
    }
    if (f.kind == FILE_GDB) {
        g_autofree char *request = g_strdup_printf("Flseek,%x,%" PRIx64 ",0", f.fd, offset);

        return ask_gdb(cpu, done, aux, request);
    }
    if (f.kind == FILE_FEATURES) {
        if (offset > sizeof(features)) {
            return answer(cpu, done, aux, -1, EINVAL);
        }
        files[handle].offset = offset;
        return answer(cpu, done, aux, 0, 0);
    }
    off_t r = f.kind == FILE_CONSOLE ? (errno = ESPIPE, -1) : lseek(f.fd, (off_t)offset, SEEK_SET);

    return answer(cpu, done, aux, r < 0 ? -1 : 0, r < 0 ? errno : 0);
}

typedef struct Length {
    SemihostDone *done;
    uint64_t aux, scratch;
} Length;

/* The debugger wrote its struct stat: big-endian, the size in 8 bytes from 28 on. */
static void gdb_length(Cpu *cpu, uint64_t aux, int64_t value, int err)
{
    g_autofree Length *l = (Length *)(uintptr_t)aux;
    uint64_t size = 0;

    if (value == 0 && !cpu_debug_rw(cpu, l->scratch + 28, &size, 8, false)) {
        value = -1;
        err = EFAULT;
    }
    l->done(cpu, l->aux, value < 0 ? value : (int64_t)GUINT64_FROM_BE(size), err);
}

SemihostState semihost_flen(Cpu *cpu, uint64_t handle, uint64_t scratch, SemihostDone *done,
                            uint64_t aux)
{
    SemihostFile f;
    struct stat st;

    if (!file_get(handle, &f)) {
        return answer(cpu, done, aux, -1, EBADF);
    }
    if (f.kind == FILE_GDB) {
        g_autofree char *request = g_strdup_printf("Ffstat,%x,%" PRIx64, f.fd, scratch);
        Length *l = g_new(Length, 1);

        *l = (Length){done, aux, scratch};
        return ask_gdb(cpu, gdb_length, (uintptr_t)l, request);
    }
    if (f.kind == FILE_FEATURES || f.kind == FILE_CONSOLE) {
        return answer(cpu, done, aux, f.kind == FILE_CONSOLE ? 0 : sizeof(features), 0);
    }
    return fstat(f.fd, &st) < 0 ? answer(cpu, done, aux, -1, errno)
                                : answer(cpu, done, aux, st.st_size, 0);
}

SemihostState semihost_remove(Cpu *cpu, uint64_t name_va, uint64_t len, SemihostDone *done,
                              uint64_t aux)
{
    int err = 0;
    g_autofree char *name = load_name(cpu, name_va, len, &err);

    if (!name) {
        return answer(cpu, done, aux, -1, err);
    }
    if (by_gdb()) {
        g_autofree char *request =
            g_strdup_printf("Funlink,%" PRIx64 "/%" PRIx64, name_va, len + 1);

        return ask_gdb(cpu, done, aux, request);
    }
    int r = remove(name);

    return answer(cpu, done, aux, r, r < 0 ? errno : 0);
}

SemihostState semihost_rename(Cpu *cpu, uint64_t from_va, uint64_t from_len, uint64_t to_va,
                              uint64_t to_len, SemihostDone *done, uint64_t aux)
{
    int err = 0;
    g_autofree char *from = load_name(cpu, from_va, from_len, &err),
                    *to = load_name(cpu, to_va, to_len, &err);

    if (!from || !to) {
        return answer(cpu, done, aux, -1, err);
    }
    if (by_gdb()) {
        g_autofree char *request =
            g_strdup_printf("Frename,%" PRIx64 "/%" PRIx64 ",%" PRIx64 "/%" PRIx64, from_va,
                            from_len + 1, to_va, to_len + 1);

        return ask_gdb(cpu, done, aux, request);
    }
    int r = rename(from, to);

    return answer(cpu, done, aux, r, r < 0 ? errno : 0);
}

SemihostState semihost_system(Cpu *cpu, uint64_t command_va, uint64_t len, SemihostDone *done,
                              uint64_t aux)
{
    int err = 0, status = 0;
    g_autofree char *command = load_name(cpu, command_va, len, &err);
    char shell[] = "/bin/sh", flag[] = "-c";
    char *argv[] = {shell, flag, command, NULL};

    if (!command) {
        return answer(cpu, done, aux, -1, err);
    }
    if (by_gdb()) {
        g_autofree char *request =
            g_strdup_printf("Fsystem,%" PRIx64 "/%" PRIx64, command_va, len + 1);

        return ask_gdb(cpu, done, aux, request);
    }
    if (!child &&
        !g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN,
                       NULL, NULL, &child, NULL)) {
        child = 0;
        return answer(cpu, done, aux, -1, ENOENT);
    }
    pid_t r = waitpid(child, &status, WNOHANG);

    if (r == 0) {
        g_usleep(WAIT_MS * 1000 / 10);
        return SEMIHOST_AGAIN;
    }
    child = 0;
    return answer(cpu, done, aux, r < 0 ? -1 : status, r < 0 ? errno : 0);
}

/* ---- the console ---- */

/* Length of the text at va; false: no memory before its end. */
static bool text_length(Cpu *cpu, uint64_t va, uint64_t *len)
{
    char part[64];

    for (*len = 0; *len < MOVE_LIMIT; *len += sizeof(part)) {
        size_t n = sizeof(part);

        if (!semihost_load(cpu, va + *len, part, n)) {
            for (n = 0;
                 n < sizeof(part) && semihost_load(cpu, va + *len + n, part + n, 1) && part[n];
                 n++) {
            }
            *len += n;
            return n < sizeof(part) && semihost_load(cpu, va + *len, part, 1);
        }
        const char *end = memchr(part, 0, n);

        if (end) {
            *len += (uint64_t)(end - part);
            return true;
        }
    }
    return true;
}

SemihostState semihost_console_write(Cpu *cpu, uint64_t va, bool text, uint64_t len,
                                     SemihostDone *done, uint64_t aux)
{
    if (text && !text_length(cpu, va, &len)) {
        return answer(cpu, done, aux, -1, EFAULT);
    }
    if (by_gdb()) {
        g_autofree char *request = g_strdup_printf("Fwrite,2,%" PRIx64 ",%" PRIx64, va, len);

        return ask_gdb(cpu, done, aux, request);
    }
    SemihostFile f = {.kind = config.console.write ? FILE_CONSOLE : FILE_HOST, .fd = 2};

    return write_to(cpu, &f, va, len, done, aux);
}

SemihostState semihost_console_read(Cpu *cpu, SemihostDone *done, uint64_t aux)
{
    SemihostFile f = {.kind = config.console.read ? FILE_CONSOLE : FILE_HOST, .fd = 0};
    uint8_t c = 0;
    ssize_t n = take(&f, &c, 1);

    if (n < 0 && errno == EAGAIN) {
        return SEMIHOST_AGAIN;
    }
    return answer(cpu, done, aux, n == 1 ? c : -1, n < 0 ? errno : 0);
}

/* ---- the machine ---- */

void semihost_exit(Cpu *cpu, int status)
{
    machine_lock();
    if (config.gdb) {
        config.gdb->exited(status & 0xff);
    }
    request_shutdown_with_code(SHUTDOWN_GUEST_SHUTDOWN, status & 0xff);
    cpu->stop_requested = true;
    cpu_interrupt(cpu, CPU_PENDING_STOP);
    machine_unlock();
}

/* The largest piece of writable RAM. */
static void largest_ram(AddressSpace *as, uint64_t *base, uint64_t *size)
{
    uint64_t at = 0, start = 0;
    const Region *last = NULL;

    *base = *size = 0;
    rcu_read_lock();
    for (unsigned n = 0; n < 4096; n++) {
        Section s = address_space_lookup(as, at, false, ATTRS_NONE);
        bool ram = s.region && !s.readonly && section_host(&s, true);

        if (!ram || s.region != last) {
            start = at;
        }
        last = ram ? s.region : NULL;
        if (ram && at + s.len - start > *size) {
            *base = start;
            *size = at + s.len - start;
        }
        if (s.len == 0 || s.len > UINT64_MAX - at) {
            break;
        }
        at += s.len;
    }
    rcu_read_unlock();
}

void semihost_heap(Cpu *cpu, uint64_t *base, uint64_t *limit)
{
    uint64_t size;

    machine_lock();
    largest_ram(cpu->as, base, &size);
    rom_largest_gap(base, &size);
    machine_unlock();
    *limit = *base + size;
}
