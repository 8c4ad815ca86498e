// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump-guest-memory: registers and memory of a machine that stands as an ELF core, by physical
 * addresses, or in the format of makedumpfile. Left out: paging=true, lzo, snappy, Windows' format.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "exec/core-dump.h"
#include "exec/cpu.h"
#include "exec/memory.h"
#include "monitor/dump.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "qom/vm.h"
#include "util/error.h"
#include "util/fdset.h"
#include "util/main-loop.h"
#include "util/thread.h"

#define WRITE_BYTES MIB

typedef struct Dump {
    Vm *vm;
    int fd;
    DumpStatus status;
    bool was_running, threaded, quit;
    pthread_t thread;
    uint64_t begin, end; /* only this of memory */
    uint64_t done, total;
    GArray *pieces;
    GByteArray *head, *notes;
    unsigned machine; /* of ELF */
    DumpGuestMemoryFormat format;
    GError *error;
} Dump;

/* One process dumps its machine once at a time. Machine lock; its thread writes `done`. */
static Dump dump = {.fd = -1};

/* ---- what is written ---- */

static void add_range(const RamRange *r, void *opaque)
{
    hwaddr from = MAX(r->addr, dump.begin), to = MIN(r->addr + r->len, dump.end);
    DumpPiece *last = dump.pieces->len
                      ? &g_array_index(dump.pieces, DumpPiece, dump.pieces->len - 1) : NULL;

    if (from >= to) {
        return;
    }
    DumpPiece p = {from, to - from, r->block->host + r->offset + (from - r->addr)};

    dump.total += p.len;
    if (last && last->addr + last->len == p.addr && last->host + last->len == p.host) {
        last->len += p.len;
    } else {
        g_array_append_val(dump.pieces, p);
    }
}

/* False: these CPUs' registers have no form. */
static bool make_notes(Vm *vm, GError **error)
{
    g_autoptr(GByteArray) extra = g_byte_array_new();

    dump.notes = g_byte_array_new();
    for (unsigned i = 0; i < vm->cpus->len; i++) {
        Cpu *cpu = vm->cpus->pdata[i];

        if (!cpu->arch->core_notes) {
            return fail(error, "dump-guest-memory is not supported for this machine");
        }
        cpu->arch->core_notes(cpu, &dump.machine, dump.notes, extra);
    }
    g_byte_array_append(dump.notes, extra->data, extra->len);
    return true;
}

/* File header, program headers, notes. */
static bool make_head(GError **error)
{
    unsigned n = dump.pieces->len + 1;
    Elf64_Phdr ph = {.p_type = htole32(PT_NOTE)};
    uint64_t at;
    Elf64_Ehdr eh = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = htole16(ET_CORE),
        .e_machine = htole16((uint16_t)dump.machine),
        .e_version = htole32(EV_CURRENT),
        .e_phoff = htole64(sizeof(Elf64_Ehdr)),
        .e_ehsize = htole16(sizeof(Elf64_Ehdr)),
        .e_phentsize = htole16(sizeof(Elf64_Phdr)),
        .e_phnum = htole16((uint16_t)n),
    };

    if (n >= PN_XNUM) {
        return fail(error, "dump: memory in %u pieces", n);
    }
    dump.head = g_byte_array_new();
    g_byte_array_append(dump.head, (const uint8_t *)&eh, sizeof(eh));
    at = sizeof(eh) + n * sizeof(ph);
    ph.p_offset = htole64(at);
    ph.p_filesz = ph.p_memsz = htole64(dump.notes->len);
    g_byte_array_append(dump.head, (const uint8_t *)&ph, sizeof(ph));
    at += dump.notes->len;
    for (unsigned i = 0; i + 1 < n; i++) {
        const DumpPiece *p = &g_array_index(dump.pieces, DumpPiece, i);
        Elf64_Phdr load = {.p_type = htole32(PT_LOAD),
                           .p_offset = htole64(at),
                           .p_vaddr = htole64(p->addr),
                           .p_paddr = htole64(p->addr),
                           .p_filesz = htole64(p->len),
                           .p_memsz = htole64(p->len)};

        g_byte_array_append(dump.head, (const uint8_t *)&load, sizeof(load));
        at += p->len;
    }
    g_byte_array_append(dump.head, dump.notes->data, dump.notes->len);
    return true;
}

/* ---- writing ---- */

static bool write_all(const void *data, uint64_t len)
{
    const uint8_t *p = data;

    while (len > 0 && !__atomic_load_n(&dump.quit, __ATOMIC_RELAXED)) {
        ssize_t n = write(dump.fd, p, MIN(len, WRITE_BYTES));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_errno(&dump.error, errno, "dump: failed to save memory");
        }
        p += n;
        len -= (uint64_t)n;
    }
    return len == 0;
}

static void progress(uint64_t bytes)
{
    __atomic_store_n(&dump.done, dump.done + bytes, __ATOMIC_RELAXED);
}

static void write_elf(void)
{
    if (!write_all(dump.head->data, dump.head->len)) {
        return;
    }
    for (unsigned i = 0; i < dump.pieces->len; i++) {
        const DumpPiece *p = &g_array_index(dump.pieces, DumpPiece, i);

        for (uint64_t at = 0; at < p->len; at += WRITE_BYTES) {
            uint64_t part = MIN(WRITE_BYTES, p->len - at);

            if (!write_all(p->host + at, part)) {
                return;
            }
            progress(part);
        }
    }
}

static void write_dump(void)
{
    DumpOut out = {.pieces = dump.pieces,
                   .notes = dump.notes,
                   .machine = dump.vm->arch,
                   .cpus = dump.vm->cpus->len,
                   .write = write_all,
                   .progress = progress};

    if (dump.format == DUMP_GUEST_MEMORY_FORMAT_ELF) {
        write_elf();
    } else {
        dump_write_kdump(&out);
    }
}

static DumpQueryResult result(void)
{
    return (DumpQueryResult){.status = dump.status,
                             .completed = (int64_t)__atomic_load_n(&dump.done, __ATOMIC_RELAXED),
                             .total = (int64_t)dump.total};
}

static void free_parts(void)
{
    close(dump.fd);
    dump.fd = -1;
    g_array_unref(dump.pieces);
    dump.pieces = NULL;
    g_clear_pointer(&dump.head, g_byte_array_unref);
    g_clear_pointer(&dump.notes, g_byte_array_unref);
}

/* Main loop. */
static void dump_end(void *opaque)
{
    DumpQueryResult r;

    if (dump.threaded) {
        machine_unlock();
        thread_join(dump.thread);
        machine_lock();
        dump.threaded = false;
    } else if (opaque) {
        return; /* the process ends */
    }
    free_parts();
    dump.status = dump.error ? DUMP_STATUS_FAILED : DUMP_STATUS_COMPLETED;
    dump.vm->busy = dump.vm->migrating = NULL;
    r = result();
    qapi_event_dump_completed(
        &(DumpCompletedEvent){.result = &r, .error = dump.error ? dump.error->message : NULL});
    if (dump.was_running) {
        vm_start(dump.vm);
    }
}

static void *dump_thread(void *opaque)
{
    write_dump();
    main_loop_run_soon(dump_end, &dump);
    return NULL;
}

/* ---- commands ---- */

static int open_target(const char *protocol, GError **error)
{
    const char *rest = strchr(protocol, ':');
    int fd;

    if (g_str_has_prefix(protocol, "fd:")) {
        return fd_take(rest + 1, error);
    }
    if (!g_str_has_prefix(protocol, "file:")) {
        fail(error, "Invalid parameter 'protocol'");
        return -1;
    }
    fd = open(rest + 1, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR);
    if (fd < 0) {
        fail_errno(error, errno, "Could not open '%s'", rest + 1);
    }
    return fd;
}

/* The machine stands; everything that is to be written is known. */
static bool prepare(Vm *vm, GError **error)
{
    dump.pieces = g_array_new(FALSE, FALSE, sizeof(DumpPiece));
    address_space_each_ram(vm->memory_as, add_range, NULL);
    if (dump.pieces->len == 0) {
        return fail(error, "dump: no guest memory to dump");
    }
    return make_notes(vm, error) && make_head(error);
}

static bool dump_start(Vm *vm, const char *protocol, bool detach, DumpGuestMemoryFormat format,
                       uint64_t begin, uint64_t end, GError **error)
{
    int fd;
    bool good;

    if (vm->busy || vm->migrating) {
        return fail(error, "%s is under way", vm->busy ? vm->busy : "a migration");
    }
    if (runstate_is(RUN_STATE_INMIGRATE)) {
        return fail(error, "Dump not allowed during incoming migration.");
    }
    if (!vm->cpus || vm->cpus->len == 0) {
        return fail(error, "dump-guest-memory is not supported for this machine");
    }
    fd = open_target(protocol, error);
    if (fd < 0) {
        return false;
    }
    g_clear_error(&dump.error);
    dump = (Dump){.vm = vm, .fd = fd, .begin = begin, .end = end, .format = format};
    dump.was_running = runstate_running();
    vm_stop(vm, RUN_STATE_SAVE_VM);
    good = prepare(vm, error);
    if (good && detach) {
        good = thread_start(&dump.thread, "dump", dump_thread, NULL, error);
        dump.threaded = good;
    }
    if (!good) {
        free_parts();
        if (dump.was_running) {
            vm_start(vm);
        }
        return false;
    }
    dump.status = DUMP_STATUS_ACTIVE;
    vm->busy = "a dump";
    vm->migrating = "a dump is under way";
    if (!detach) {
        write_dump();
        dump_end(NULL);
    }
    return !dump.error || detach || fail(error, "%s", dump.error->message);
}

bool qmp_dump_guest_memory(QmpCall *call, const QmpDumpGuestMemoryArgs *a, GError **error)
{
    if (a->has_begin != a->has_length) {
        return fail(error, "Parameter '%s' is missing", a->has_begin ? "length" : "begin");
    }
    if (a->has_format && a->format != DUMP_GUEST_MEMORY_FORMAT_ELF &&
        (a->paging || a->has_begin)) {
        return fail(error, "kdump-compressed format doesn't support paging or filter");
    }
    if (a->paging) {
        return fail(error, "Parameter 'paging' must be false: memory goes by physical addresses");
    }
    if (a->has_begin && (a->begin < 0 || a->length <= 0 || a->length > INT64_MAX - a->begin)) {
        return fail(error, "Parameter 'length' expects a range of addresses");
    }
    return dump_start(call->vm, a->protocol, a->has_detach && a->detach,
                      a->has_format ? a->format : DUMP_GUEST_MEMORY_FORMAT_ELF,
                      a->has_begin ? (uint64_t)a->begin : 0,
                      a->has_begin ? (uint64_t)(a->begin + a->length) : UINT64_MAX, error);
}

DumpQueryResult *qmp_query_dump(QmpCall *call, GError **error)
{
    DumpQueryResult *r = g_new(DumpQueryResult, 1);

    *r = result();
    return r;
}

DumpGuestMemoryCapability *qmp_query_dump_guest_memory_capability(QmpCall *call, GError **error)
{
    DumpGuestMemoryCapability *c = g_new0(DumpGuestMemoryCapability, 1);

    c->formats = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < DUMP_GUEST_MEMORY_FORMAT__COUNT; i++) {
        g_array_append_val(c->formats, i);
    }
    return c;
}

static void hmp_dump(HmpCall *call, GError **error)
{
    g_autofree char *protocol = g_strconcat("file:", hmp_str(call, "filename"), NULL);
    int64_t begin = hmp_int(call, "begin", -1), length = hmp_int(call, "length", -1);
    QmpDumpGuestMemoryArgs a = {.protocol = protocol,
                                .has_detach = true,
                                .detach = hmp_flag(call, "d"),
                                .has_format = hmp_flag(call, "z"),
                                .format = DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB,
                                .has_begin = begin >= 0,
                                .begin = begin,
                                .has_length = length >= 0,
                                .length = length};
    QmpCall q = {.vm = call->vm};

    qmp_dump_guest_memory(&q, &a, error);
}
HMP_ROW(dump_guest_memory,
        {.name = "dump-guest-memory",
         .args = "-d,-z,filename:F,begin:i?,length:i?",
         .params = "[-d] [-z] filename [begin length]",
         .help = "dump guest memory into file 'filename'.\n"
                 "\t\t\t-d: return immediately (do not wait for completion).\n"
                 "\t\t\t-z: dump in kdump-compressed format, with zlib compression.\n"
                 "\t\t\tbegin: the starting physical address.\n"
                 "\t\t\tlength: the memory size, in bytes.",
         .fn = hmp_dump});

static void hmp_info_dump(HmpCall *call, GError **error)
{
    g_string_append_printf(call->out, "Status: %s\n",
                           qapi_enum_name(&qapi_type_DumpStatus, (int)dump.status));
    if (dump.status == DUMP_STATUS_ACTIVE) {
        g_string_append_printf(call->out, "Finished: %.2f %%\n",
                               100.0 * (double)result().completed / (double)dump.total);
    }
}
HMP_INFO(dump, hmp_info_dump, "", "Display the latest dump status");

static void dump_stop(Vm *vm)
{
    if (dump.threaded) {
        dump.threaded = false;
        __atomic_store_n(&dump.quit, true, __ATOMIC_RELAXED);
        machine_unlock();
        thread_join(dump.thread);
        machine_lock();
        free_parts();
    }
    g_clear_error(&dump.error);
}
START_HOOK(dump, {.phase = START_RUN, .name = "dump", .stop = dump_stop});
