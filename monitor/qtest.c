// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device test protocol: a client reads and writes memory, ports and register banks, steps
 * guest time and watches interrupt lines. A line is a command; the answer is "OK ..." or
 * "FAIL ...", with "IRQ raise N" / "IRQ lower N" lines in between. docs/devel/poke.md lists
 * the commands.
 */
#include "monitor/qtest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chardev/chardev.h"
#include "exec/bank.h"
#include "exec/memory.h"
#include "util/cutils.h"
#include "util/timer.h"

#define MAX_LINE (64 * MIB)
#define MAX_DATA (16 * MIB)

typedef struct Qtest {
    Vm *vm;
    ChardevFe fe;
    GString *in, *out;
    FILE *log;
    bool overlong;        /* the present line is being skipped */
} Qtest;

typedef struct Command {
    const char *name;
    unsigned min_args, max_args;
    /* args[0] is the command's name; appends to reply, which holds "OK". */
    bool (*run)(Qtest *q, char **args, GString *reply, GError **error);
    unsigned size;        /* for families: access size */
} Command;

/* ---- output ---- */

static void flush_out(Qtest *q)
{
    while (q->out->len > 0) {
        size_t n = chardev_write(&q->fe, q->out->str, q->out->len);

        if (n == 0) {
            return;
        }
        g_string_erase(q->out, 0, n);
    }
}

static void log_line(Qtest *q, char direction, const char *line)
{
    if (q->log != NULL) {
        fprintf(q->log, "[%c %.6f] %s\n", direction, clock_now_ns(CLOCK_RT) / 1e9, line);
        fflush(q->log);
    }
}

static void send_line(Qtest *q, const char *line)
{
    log_line(q, 'S', line);
    g_string_append(q->out, line);
    g_string_append_c(q->out, '\n');
    flush_out(q);
}

/* ---- arguments ---- */

static bool number(const char *text, uint64_t *v, GError **error)
{
    return parse_u64(text, v) || fail(error, "'%s' is not a number", text);
}

static bool address_and_size(char **args, uint64_t *addr, uint64_t *size, GError **error)
{
    if (!number(args[1], addr, error) || !number(args[2], size, error)) {
        return false;
    }
    return *size <= MAX_DATA || fail(error, "size 0x%" PRIx64 " is too large", *size);
}

typedef struct ByType {
    const char *type;
    uint64_t skip;
    Device *found;
} ByType;

static bool match_type(Device *d, void *opaque)
{
    ByType *t = opaque;

    if (strcmp(d->obj.type->name, t->type) == 0 && t->skip-- == 0) {
        t->found = d;
        return false;
    }
    return true;
}

/* An id, a QOM path, or "type" / "type[n]" for devices that a board made. */
static Device *find_device(Qtest *q, const char *name, GError **error)
{
    Device *d;
    g_autofree char *type = g_strdup(name);
    char *bracket = strchr(type, '[');
    ByType t = {.type = type};
    g_autoptr(GError) not_found = NULL;

    d = device_find(q->vm, name, &not_found);
    if (d != NULL) {
        return d;
    }
    if (bracket != NULL) {
        char *end = strchr(bracket, ']');

        *bracket = '\0';
        if (end != NULL) {
            *end = '\0';
        }
        if (!number(bracket + 1, &t.skip, error)) {
            return NULL;
        }
    }
    bus_walk(q->vm->system_bus, match_type, &t);
    for (unsigned i = 0; t.found == NULL && i < q->vm->cpus->len; i++) {
        match_type(q->vm->cpus->pdata[i], &t);
    }
    if (t.found == NULL) {
        g_propagate_error(error, g_steal_pointer(&not_found));
    }
    return t.found;
}

/* ---- memory and ports ---- */

static const Command *command_of(const char *name);

static bool cmd_out(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, v;

    if (!number(args[1], &addr, error) || !number(args[2], &v, error)) {
        return false;
    }
    if (q->vm->io_as == NULL) {
        return fail(error, "this machine has no ports");
    }
    address_space_store(q->vm->io_as, addr & 0xffff, v, command_of(args[0])->size, DEV_LITTLE,
                        ATTRS_NONE);
    return true;
}

static bool cmd_in(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, v;

    if (!number(args[1], &addr, error)) {
        return false;
    }
    if (q->vm->io_as == NULL) {
        return fail(error, "this machine has no ports");
    }
    v = address_space_load(q->vm->io_as, addr & 0xffff, command_of(args[0])->size, DEV_LITTLE,
                           ATTRS_NONE, NULL);
    g_string_append_printf(reply, " 0x%04" PRIx64, v);
    return true;
}

static bool cmd_store(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, v;

    if (!number(args[1], &addr, error) || !number(args[2], &v, error)) {
        return false;
    }
    address_space_store(q->vm->memory_as, addr, v, command_of(args[0])->size, q->vm->endian,
                        ATTRS_NONE);
    return true;
}

static bool cmd_load(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, v;

    if (!number(args[1], &addr, error)) {
        return false;
    }
    v = address_space_load(q->vm->memory_as, addr, command_of(args[0])->size, q->vm->endian,
                           ATTRS_NONE, NULL);
    g_string_append_printf(reply, " 0x%016" PRIx64, v);
    return true;
}

static bool cmd_read(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, size;
    g_autofree uint8_t *data = NULL;

    if (!address_and_size(args, &addr, &size, error)) {
        return false;
    }
    data = g_malloc(size + 1);
    address_space_read(q->vm->memory_as, addr, ATTRS_NONE, data, size);
    g_string_append(reply, " 0x");
    for (uint64_t i = 0; i < size; i++) {
        g_string_append_printf(reply, "%02x", data[i]);
    }
    return true;
}

static bool cmd_write(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, size;
    const char *hex = args[3];
    g_autofree uint8_t *data = NULL;

    if (!address_and_size(args, &addr, &size, error)) {
        return false;
    }
    if (g_str_has_prefix(hex, "0x")) {
        hex += 2;
    }
    data = g_malloc0(size + 1);
    for (uint64_t i = 0; i < size && hex[0] != '\0'; i++, hex += 2) {
        if (!g_ascii_isxdigit(hex[0]) || !g_ascii_isxdigit(hex[1])) {
            return fail(error, "data is not hexadecimal");
        }
        data[i] = g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]);
    }
    address_space_write(q->vm->memory_as, addr, ATTRS_NONE, data, size);
    return true;
}

static bool cmd_b64read(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, size;
    g_autofree uint8_t *data = NULL;
    g_autofree char *text = NULL;

    if (!address_and_size(args, &addr, &size, error)) {
        return false;
    }
    data = g_malloc(size + 1);
    address_space_read(q->vm->memory_as, addr, ATTRS_NONE, data, size);
    text = g_base64_encode(data, size);
    g_string_append_printf(reply, " %s", text);
    return true;
}

static bool cmd_b64write(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, size;
    gsize len;
    g_autofree uint8_t *data = NULL;

    if (!address_and_size(args, &addr, &size, error)) {
        return false;
    }
    data = g_base64_decode(args[3], &len);
    if (len != size) {
        return fail(error, "%" G_GSIZE_FORMAT " bytes of data for a size of %" PRIu64, len, size);
    }
    address_space_write(q->vm->memory_as, addr, ATTRS_NONE, data, size);
    return true;
}

static bool cmd_memset(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t addr, size, v;

    if (!number(args[1], &addr, error) || !number(args[2], &size, error) ||
        !number(args[3], &v, error)) {
        return false;
    }
    if (size > GIB) {
        return fail(error, "size 0x%" PRIx64 " is too large", size);
    }
    address_space_fill(q->vm->memory_as, addr, ATTRS_NONE, v, size);
    return true;
}

static bool cmd_endianness(Qtest *q, char **args, GString *reply, GError **error)
{
    g_string_append(reply, q->vm->endian == DEV_BIG ? " big" : " little");
    return true;
}

/* ---- time ---- */

static void append_time(GString *reply)
{
    g_string_append_printf(reply, " %" PRId64, clock_now_ns(CLOCK_GUEST));
}

static bool cmd_clock_step(Qtest *q, char **args, GString *reply, GError **error)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);
    uint64_t step;

    if (args[1] != NULL) {
        if (!number(args[1], &step, error)) {
            return false;
        }
        if (step > (uint64_t)(INT64_MAX - now)) {
            return fail(error, "step of %" PRIu64 " ns is too large", step);
        }
        clock_guest_advance_to(now + (int64_t)step);
    } else if (clock_deadline_ns(CLOCK_GUEST) != INT64_MAX) {
        clock_guest_advance_to(MAX(now, clock_deadline_ns(CLOCK_GUEST)));
    }
    append_time(reply);
    return true;
}

static bool cmd_clock_set(Qtest *q, char **args, GString *reply, GError **error)
{
    uint64_t to;

    if (!number(args[1], &to, error)) {
        return false;
    }
    if (to > INT64_MAX || (int64_t)to < clock_now_ns(CLOCK_GUEST)) {
        return fail(error, "time %s is not ahead", args[1]);
    }
    clock_guest_advance_to((int64_t)to);
    append_time(reply);
    return true;
}

/* ---- interrupt lines ---- */

static void irq_changed(void *opaque, unsigned n, int level)
{
    g_autofree char *line = g_strdup_printf("IRQ %s %u", level != 0 ? "raise" : "lower", n);

    send_line(opaque, line);
}

static void intercept(Qtest *q, Irq *irq, unsigned n)
{
    irq->intercept = irq_changed;
    irq->intercept_opaque = q;
    irq->intercept_n = n;
}

/* Calls fn for each output line of d; n counts through all of d's outputs. */
static void foreach_output(Device *d, void (*fn)(Irq *irq, unsigned n, void *opaque), void *opaque)
{
    unsigned n = 0;

    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        const PinRow *r = ((const DeviceType *)t)->pins;

        for (; r != NULL && r->name != NULL; r++) {
            for (unsigned i = 0; r->input == NULL && i < r->count; i++) {
                fn((Irq *)((char *)d + r->field) + i, n++, opaque);
            }
        }
    }
}

static void intercept_output(Irq *irq, unsigned n, void *opaque)
{
    intercept(opaque, irq, n);
}

static bool cmd_intercept_out(Qtest *q, char **args, GString *reply, GError **error)
{
    Device *d = find_device(q, args[1], error);

    if (d == NULL) {
        return false;
    }
    foreach_output(d, intercept_output, q);
    return true;
}

/* The device whose inputs are watched, for the walk below. */
typedef struct InputWatch {
    Qtest *q;
    Device *target;
} InputWatch;

static void intercept_if_wired(Irq *irq, unsigned n, void *opaque)
{
    const InputWatch *w = opaque;

    if (irq->target == w->target) {
        intercept(w->q, irq, irq->pin);
    }
}

static bool intercept_to(Object *o, void *opaque)
{
    if (o->kind == KIND_DEVICE || o->kind == KIND_CPU) {
        foreach_output(DEVICE(o), intercept_if_wired, opaque);
    }
    return true;
}

static bool cmd_intercept_in(Qtest *q, char **args, GString *reply, GError **error)
{
    InputWatch w = {q, find_device(q, args[1], error)};

    if (w.target == NULL) {
        return false;
    }
    object_walk(object_root(), intercept_to, &w);
    return true;
}

static bool cmd_set_irq_in(Qtest *q, char **args, GString *reply, GError **error)
{
    Device *d = find_device(q, args[1], error);
    uint64_t n, level;

    if (d == NULL || !number(args[3], &n, error) || !number(args[4], &level, error)) {
        return false;
    }
    return device_pin_in(d, args[2], n, level) ||
           fail(error, "'%s' has no input '%s' %" PRIu64, args[1], args[2], n);
}

/* The first output row of d's types, for commands that name no pin. */
static const char *first_output(const Device *d)
{
    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        const PinRow *r = ((const DeviceType *)t)->pins;

        for (; r != NULL && r->name != NULL; r++) {
            if (r->input == NULL) {
                return r->name;
            }
        }
    }
    return NULL;
}

static bool cmd_pin(Qtest *q, char **args, GString *reply, GError **error)
{
    Device *d = find_device(q, args[1], error);
    uint64_t n = 0;
    const char *name;
    const Irq *irq;

    if (d == NULL || (args[2] != NULL && args[3] != NULL && !number(args[3], &n, error))) {
        return false;
    }
    name = args[2] != NULL ? args[2] : first_output(d);
    irq = name != NULL ? device_pin_out(d, name, n) : NULL;
    if (irq == NULL) {
        return fail(error, "'%s' has no output '%s' %" PRIu64, args[1],
                    name != NULL ? name : "", n);
    }
    g_string_append_printf(reply, " %d", irq->level);
    return true;
}

/* ---- register banks ---- */

static const RegBank *find_bank(Qtest *q, char **args, Device **d, uint64_t *offset,
                                uint64_t *size, GError **error)
{
    const RegBank *b;

    *d = find_device(q, args[1], error);
    if (*d == NULL || !number(args[3], offset, error) || !number(args[4], size, error)) {
        return NULL;
    }
    b = device_bank(*d, args[2]);
    if (b == NULL) {
        return fail_null(error, "'%s' has no bank '%s'", args[1], args[2]);
    }
    if ((*size != 1 && *size != 2 && *size != 4 && *size != 8) || *offset >= b->size ||
        *size > b->size - *offset) {
        return fail_null(error, "no %" PRIu64 " bytes at 0x%" PRIx64 " in '%s.%s'", *size, *offset,
                         args[1], args[2]);
    }
    return b;
}

static bool cmd_bankread(Qtest *q, char **args, GString *reply, GError **error)
{
    Device *d;
    uint64_t offset, size;

    if (find_bank(q, args, &d, &offset, &size, error) == NULL) {
        return false;
    }
    g_string_append_printf(reply, " 0x%016" PRIx64, bank_read(d, args[2], offset, size));
    return true;
}

static bool cmd_bankwrite(Qtest *q, char **args, GString *reply, GError **error)
{
    Device *d;
    uint64_t offset, size, v;

    if (!number(args[5], &v, error) || find_bank(q, args, &d, &offset, &size, error) == NULL) {
        return false;
    }
    bank_write(d, args[2], offset, v, size);
    return true;
}

static void list_bank(Device *d, const RegBank *b, void *opaque)
{
    g_autofree char *path = object_path(&d->obj);

    g_string_append_printf(opaque, " %s:%s:0x%" PRIx64, path, b->name, b->size);
}

static bool list_device(Device *d, void *opaque)
{
    device_foreach_bank(d, list_bank, opaque);
    return true;
}

static bool cmd_banks(Qtest *q, char **args, GString *reply, GError **error)
{
    bus_walk(q->vm->system_bus, list_device, reply);
    return true;
}

static bool cmd_device_reset(Qtest *q, char **args, GString *reply, GError **error)
{
    Device *d;

    if (args[1] == NULL) {
        vm_reset(q->vm);
        return true;
    }
    d = find_device(q, args[1], error);
    if (d == NULL) {
        return false;
    }
    device_reset(d);
    return true;
}

static bool cmd_module_load(Qtest *q, char **args, GString *reply, GError **error)
{
    return fail(error, "there are no modules");
}

/* ---- the table ---- */

static const Command commands[] = {
    {"clock_step", 0, 1, cmd_clock_step},
    {"clock_set", 1, 1, cmd_clock_set},
    {"irq_intercept_in", 1, 1, cmd_intercept_in},
    {"irq_intercept_out", 1, 1, cmd_intercept_out},
    {"set_irq_in", 4, 4, cmd_set_irq_in},
    {"outb", 2, 2, cmd_out, 1},
    {"outw", 2, 2, cmd_out, 2},
    {"outl", 2, 2, cmd_out, 4},
    {"inb", 1, 1, cmd_in, 1},
    {"inw", 1, 1, cmd_in, 2},
    {"inl", 1, 1, cmd_in, 4},
    {"writeb", 2, 2, cmd_store, 1},
    {"writew", 2, 2, cmd_store, 2},
    {"writel", 2, 2, cmd_store, 4},
    {"writeq", 2, 2, cmd_store, 8},
    {"readb", 1, 1, cmd_load, 1},
    {"readw", 1, 1, cmd_load, 2},
    {"readl", 1, 1, cmd_load, 4},
    {"readq", 1, 1, cmd_load, 8},
    {"read", 2, 2, cmd_read},
    {"write", 3, 3, cmd_write},
    {"b64read", 2, 2, cmd_b64read},
    {"b64write", 3, 3, cmd_b64write},
    {"memset", 3, 3, cmd_memset},
    {"endianness", 0, 0, cmd_endianness},
    {"module_load", 2, 2, cmd_module_load},
    /* our own */
    {"bankread", 4, 4, cmd_bankread},
    {"bankwrite", 5, 5, cmd_bankwrite},
    {"banks", 0, 0, cmd_banks},
    {"pin", 1, 3, cmd_pin},
    {"device_reset", 0, 1, cmd_device_reset},
};

static const Command *command_of(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static char *no_such_command(const char *name)
{
    const char *names[G_N_ELEMENTS(commands) + 1] = {NULL};
    g_autofree char *hint = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i].name;
    }
    hint = suggestion(name, names);
    return g_strdup_printf("FAIL Unknown command '%s'%s", name, hint);
}

static void run_line(Qtest *q, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t\r", -1);
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    g_autoptr(GString) reply = g_string_new("OK");
    g_autoptr(GError) error = NULL;
    const Command *c;
    unsigned n;

    log_line(q, 'R', line);
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (words[i][0] != '\0') {
            g_ptr_array_add(args, words[i]);
        }
    }
    n = args->len;
    if (n == 0) {
        return;
    }
    g_ptr_array_add(args, NULL);
    c = command_of(args->pdata[0]);
    if (c == NULL) {
        g_autofree char *text = no_such_command(args->pdata[0]);

        send_line(q, text);
        return;
    }
    if (n - 1 < c->min_args || n - 1 > c->max_args) {
        fail(&error, "%s takes %u to %u arguments", c->name, c->min_args, c->max_args);
    } else {
        c->run(q, (char **)args->pdata, reply, &error);
    }
    if (error != NULL) {
        g_string_printf(reply, "FAIL %s", error->message);
    }
    send_line(q, reply->str);
}

/* ---- input ---- */

static size_t can_receive(void *opaque)
{
    return 65536;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    Qtest *q = opaque;

    while (len > 0) {
        const uint8_t *end = memchr(buf, '\n', len);
        size_t n = end != NULL ? (size_t)(end - buf) : len;

        if (q->in->len + n > MAX_LINE) {
            q->overlong = true;
            g_string_truncate(q->in, 0);
        }
        if (!q->overlong) {
            g_string_append_len(q->in, (const char *)buf, n);
        }
        if (end == NULL) {
            return;
        }
        if (q->overlong) {
            send_line(q, "FAIL line is too long");
        } else {
            run_line(q, q->in->str);
        }
        q->overlong = false;
        g_string_truncate(q->in, 0);
        buf += n + 1;
        len -= n + 1;
    }
}

static void drop_intercept(Irq *irq, unsigned n, void *opaque)
{
    irq->intercept = NULL;
}

static bool drop_intercepts(Object *o, void *opaque)
{
    if (o->kind == KIND_DEVICE || o->kind == KIND_CPU) {
        foreach_output(DEVICE(o), drop_intercept, NULL);
    }
    return true;
}

static void event(void *opaque, ChardevEvent e)
{
    Qtest *q = opaque;

    if (e == CHARDEV_CLOSED) {
        object_walk(object_root(), drop_intercepts, NULL);
        g_string_truncate(q->in, 0);
        g_string_truncate(q->out, 0);
    }
}

static void drained(void *opaque)
{
    flush_out(opaque);
}

static const ChardevFeOps qtest_fe = {
    .can_receive = can_receive,
    .receive = receive,
    .event = event,
    .drained = drained,
};

bool qtest_serve(Vm *vm, const char *chardev, const char *log, GError **error)
{
    Qtest *q = g_new0(Qtest, 1);
    Chardev *chr;

    q->vm = vm;
    vm_publish(vm, "qtest", q);
    q->in = g_string_new(NULL);
    q->out = g_string_new(NULL);
    if (log != NULL && strcmp(log, "none") != 0) {
        q->log = fopen(log, "we");
        if (q->log == NULL) {
            return fail_errno(error, errno, "-qtest-log: cannot open '%s'", log);
        }
    }
    chr = chardev_new_short("qtest", chardev, error);
    if (chr == NULL) {
        return false;
    }
    return chardev_fe_attach(&q->fe, chr, &qtest_fe, q, error);
}

void qtest_end(Vm *vm)
{
    Qtest *q = vm_published(vm, "qtest");

    if (!q) {
        return;
    }
    vm_publish(vm, "qtest", NULL);
    object_walk(object_root(), drop_intercepts, NULL);
    chardev_fe_detach(&q->fe);
    if (q->log) {
        fclose(q->log);
    }
    g_string_free(q->in, TRUE);
    g_string_free(q->out, TRUE);
    g_free(q);
}
