// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving and loading the state of a machine. What a device has comes from its tables, by name, so
 * that the stream describes itself. Everything in it is checked: it may come from anywhere. The
 * contract is include/migration/machine-state.h, the format docs/devel/machine-state.md.
 */
#include "migration/machine-state.h"

#include <inttypes.h>
#include <string.h>

#include "exec/cpu.h"
#include "migration/stream.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define MAGIC "EMUSTATE"
#define FORMAT_VERSION 2u
#define MAX_NAME 1024u
#define MAX_DEVICE_BYTES (64 * MIB)
#define MAX_BITMAP_BYTES (256 * MIB)
/* How late a timer may be, and how far times may be away: about 146 years. */
#define MAX_LATE_NS NANOSECONDS_PER_SECOND
#define MAX_TIME_NS (INT64_MAX / 2)

/* ---- devices ---- */

static bool in_ram(const void *p)
{
    for (const RamBlock *b = ram_blocks(); b; b = b->next) {
        if ((const uint8_t *)p >= b->host && (const uint8_t *)p < b->host + b->size) {
            return true;
        }
    }
    return false;
}

static void append_be(GByteArray *out, const uint8_t *p, uint32_t size)
{
    /* the host's order is turned into the most significant byte first */
    for (uint32_t i = 0; i < size; i++) {
        g_byte_array_append(out, &p[G_BYTE_ORDER == G_LITTLE_ENDIAN ? size - 1 - i : i], 1);
    }
}

static bool is_number(const StateItem *i)
{
    return i->kind == STATE_INT && (i->size == 1 || i->size == 2 || i->size == 4 || i->size == 8);
}

static bool is_saved(const StateItem *i)
{
    return i->origin != STATE_OF_PROP && i->kind != STATE_HOST;
}

static int64_t timer_left(const Timer *t)
{
    /* guest time is saved itself; others go on from here */
    return t->clock == CLOCK_GUEST ? t->deadline_ns : t->deadline_ns - clock_now_ns(t->clock);
}

/* The bytes of an item at `base`; d: whose buffers are meant, may be NULL. */
static void item_bytes(const StateItem *i, const uint8_t *base, Device *d, GByteArray *out)
{
    const uint8_t *p = base + i->offset;

    switch (i->kind) {
    case STATE_INT:
    case STATE_BYTES:
        if (!is_number(i)) {
            g_byte_array_append(out, p, i->size * i->count);
            break;
        }
        for (uint32_t k = 0; k < i->count; k++) {
            append_be(out, p + k * i->size, i->size);
        }
        break;
    case STATE_TIMER: {
        const Timer *t = (const Timer *)p;
        int64_t left = t->pending ? timer_left(t) : 0;
        uint8_t pending = t->pending;

        g_byte_array_append(out, &pending, 1);
        append_be(out, (const uint8_t *)&left, sizeof(left));
        break;
    }
    case STATE_BUFFER: {
        const uint8_t *data = *(uint8_t *const *)p;

        if (data && !in_ram(data)) {
            g_byte_array_append(out, data, (guint)i->field->len(d));
        }
        break;
    }
    case STATE_BYTE_ARRAY: {
        const GByteArray *data = *(GByteArray *const *)p;

        if (data) {
            g_byte_array_append(out, data->data, data->len);
        }
        break;
    }
    default:
        break;
    }
}

/*
 * A type and its parents may have fields of the same name: the second one is "name#1". The string
 * belongs to `seen`.
 */
static const char *unique_path(GHashTable *seen, const char *path)
{
    char *name = g_strdup(path);

    for (unsigned n = 1; g_hash_table_contains(seen, name); n++) {
        g_free(name);
        name = g_strdup_printf("%s#%u", path, n);
    }
    g_hash_table_add(seen, name);
    return name;
}

static GHashTable *no_paths(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

typedef struct Save {
    const uint8_t *base;
    Device *d;
    GByteArray *out;
    GHashTable *seen;
} Save;

static void save_item(const StateItem *i, void *opaque)
{
    Save *w = opaque;
    g_autoptr(GByteArray) bytes = NULL;
    const char *path;
    uint8_t len[4];

    if (!is_saved(i)) {
        return;
    }
    path = unique_path(w->seen, i->path);
    bytes = g_byte_array_new();
    item_bytes(i, w->base, w->d, bytes);
    store_be32(len, (uint32_t)strlen(path));
    g_byte_array_append(w->out, len, 4);
    g_byte_array_append(w->out, (const uint8_t *)path, (guint)strlen(path));
    store_be32(len, bytes->len);
    g_byte_array_append(w->out, len, 4);
    g_byte_array_append(w->out, bytes->data, bytes->len);
}

/* One device's section: path, type, version, then items by name. */
static bool save_section(StateStream *s, const char *path, const char *type, uint32_t version,
                         const GByteArray *items, GError **error)
{
    return stream_put_u8(s, SECTION_DEVICE, error) && stream_put_text(s, path, error) &&
           stream_put_text(s, type, error) && stream_put_u32(s, version, error) &&
           stream_put_u32(s, items->len, error) && stream_put(s, items->data, items->len, error);
}

static bool save_device(StateStream *s, Device *d, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GHashTable) seen = no_paths();
    Save w = {(const uint8_t *)d, d, out, seen};
    g_autofree char *path = object_path(&d->obj);

    state_foreach(device_type(d), d, save_item, &w);
    return save_section(s, path, d->obj.type->name, device_type(d)->state_version, out, error);
}

static bool save_extra(StateStream *s, const ExtraState *e, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GHashTable) seen = no_paths();
    Save w = {e->base, NULL, out, seen};

    state_fields_foreach(e->fields, save_item, &w);
    return save_section(s, e->name, "", 1, out, error);
}

typedef struct Piece {
    const uint8_t *data;
    uint32_t len;
} Piece;

typedef struct Load {
    const char *who;
    uint8_t *base;
    Device *d;
    GHashTable *pieces; /* path -> Piece */
    GHashTable *seen;
    GError **error;
    bool good;
} Load;

static void load_number(uint8_t *to, const uint8_t *from, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        to[G_BYTE_ORDER == G_LITTLE_ENDIAN ? size - 1 - i : i] = from[i];
    }
}

static void load_timer(Timer *t, const uint8_t *from)
{
    int64_t left, now = clock_now_ns(t->clock);

    load_number((uint8_t *)&left, from + 1, sizeof(left));
    timer_cancel(t);
    /* a timer that was never set up has no function: what a hostile stream says of it is nothing */
    if (from[0] && t->fn) {
        if (t->clock == CLOCK_GUEST) {
            left -= now;
        }
        /* devices catch up with what they have missed: that must have an end */
        left = CLAMP(left, -MAX_LATE_NS, MAX_TIME_NS);
        timer_set_ns(t, now + left);
    }
}

static bool in_range(const StateField *f, uint64_t v, uint32_t size)
{
    unsigned unused = 64 - 8 * size;
    int64_t n = (int64_t)(v << unused) >> unused;

    if (f->sort == STATE_BOOL) {
        return v <= 1;
    }
    if (!f->min && !f->max) {
        return true;
    }
    return f->sort == STATE_SIGNED ? n >= f->min && n <= (int64_t)f->max
                                   : v >= (uint64_t)f->min && v <= f->max;
}

static bool load_numbers(const StateItem *i, const char *who, uint8_t *p, const uint8_t *from,
                         GError **error)
{
    for (uint32_t k = 0; k < i->count; k++, p += i->size, from += i->size) {
        uint64_t v = load_sized(from, i->size, true);

        if (i->field && !in_range(i->field, v, i->size)) {
            return fail(error, "%s: '%s' may not be 0x%" PRIx64, who, i->path, v);
        }
        load_number(p, from, i->size);
    }
    return true;
}

static uint32_t item_length(const StateItem *i, Device *d, const uint8_t *p)
{
    switch (i->kind) {
    case STATE_TIMER:
        return 9;
    case STATE_BUFFER: {
        const uint8_t *data = *(uint8_t *const *)p;

        return data && !in_ram(data) ? (uint32_t)i->field->len(d) : 0;
    }
    default:
        return i->size * i->count;
    }
}

static void load_item(const StateItem *i, void *opaque)
{
    Load *w = opaque;
    const Piece *piece;
    uint8_t *p = w->base + i->offset;

    if (!w->good || !is_saved(i)) {
        return;
    }
    piece = g_hash_table_lookup(w->pieces, unique_path(w->seen, i->path));
    if (!piece) {
        w->good = (i->field && i->field->needed) ||
                  fail(w->error, "%s: the state has no '%s'", w->who, i->path);
        return;
    }
    if (i->kind == STATE_BYTE_ARRAY) {
        GByteArray **array = (GByteArray **)p;

        g_clear_pointer(array, g_byte_array_unref);
        *array = g_byte_array_append(g_byte_array_new(), piece->data, piece->len);
        return;
    }
    if (piece->len != item_length(i, w->d, p)) {
        w->good = fail(w->error, "%s: '%s' has %u bytes in the state, %u here", w->who, i->path,
                       piece->len, item_length(i, w->d, p));
        return;
    }
    if (i->kind == STATE_TIMER) {
        load_timer((Timer *)p, piece->data);
    } else if (i->kind == STATE_BUFFER) {
        if (piece->len) {
            memcpy(*(uint8_t **)p, piece->data, piece->len);
        }
    } else if (is_number(i)) {
        w->good = load_numbers(i, w->who, p, piece->data, w->error);
    } else {
        memcpy(p, piece->data, piece->len);
    }
}

/* Splits the items of a section; pieces and keys lie in `data`, which has a byte to spare. */
static bool split_items(const char *who, uint8_t *data, uint32_t len, GHashTable *pieces,
                        GError **error)
{
    uint32_t at = 0;

    while (at < len) {
        uint32_t name_len, size;
        g_autofree char *name = NULL;
        Piece *piece;

        if (len - at < 8 || (name_len = load_be32(data + at)) > MAX_NAME ||
            len - at - 8 < name_len) {
            return fail(error, "%s: the state makes no sense", who);
        }
        name = g_strndup((const char *)data + at + 4, name_len);
        at += 4 + name_len;
        size = load_be32(data + at);
        at += 4;
        if (len - at < size) {
            return fail(error, "%s: the state makes no sense", who);
        }
        piece = g_new(Piece, 1);
        *piece = (Piece){data + at, size};
        g_hash_table_insert(pieces, g_steal_pointer(&name), piece);
        at += size;
    }
    return true;
}

static void state_lock(const StateStream *s)
{
    if (s->unlocked) {
        machine_lock();
    }
}

static void state_unlock(const StateStream *s)
{
    if (s->unlocked) {
        machine_unlock();
    }
}

static bool load_device(StateStream *s, GHashTable *left, GError **error)
{
    g_autofree char *path = stream_get_text(s, error),
                    *type = path ? stream_get_text(s, error) : NULL;
    g_autoptr(GHashTable) pieces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) seen = no_paths();
    g_autofree uint8_t *data = NULL;
    uint32_t version, len;
    void *what;

    if (!type || !stream_get_u32(s, &version, error) || !stream_get_u32(s, &len, error)) {
        return false;
    }
    if (len > MAX_DEVICE_BYTES) {
        return fail(error, "%s: a state of %u bytes", path, len);
    }
    data = g_malloc(len + 1);
    if (!stream_get(s, data, len, error) || !split_items(path, data, len, pieces, error)) {
        return false;
    }
    what = g_hash_table_lookup(left, path);
    if (!what) {
        return fail(error, "the machine has no '%s'%s%s, or its state came twice", path,
                    *type ? " of type " : "", type);
    }
    Load w = {.who = path, .pieces = pieces, .seen = seen, .error = error, .good = true};

    if (*type) {
        Device *d = what;

        if (strcmp(d->obj.type->name, type) != 0 || device_type(d)->state_version != version) {
            return fail(error, "%s: the state is of '%s' version %u, here is '%s' version %u", path,
                        type, version, d->obj.type->name, device_type(d)->state_version);
        }
        w.base = (uint8_t *)d;
        w.d = d;
        state_lock(s);
        state_foreach(device_type(d), d, load_item, &w);
        state_unlock(s);
    } else {
        const ExtraState *e = what;

        w.base = e->base;
        state_lock(s);
        state_fields_foreach(e->fields, load_item, &w);
        state_unlock(s);
    }
    g_hash_table_remove(left, path);
    return w.good;
}

/* ---- the machine ---- */

static bool add_device(Object *obj, void *opaque)
{
    if ((obj->kind == KIND_DEVICE || obj->kind == KIND_CPU) && ((Device *)obj)->realized) {
        g_ptr_array_add(opaque, obj);
    }
    return true;
}

/* All devices, parents before children. */
static GPtrArray *all_devices(void)
{
    GPtrArray *list = g_ptr_array_new();

    object_walk(object_root(), add_device, list);
    return list;
}

static const char *why_not(Device *d)
{
    const DeviceType *t = device_type(d);

    for (; t; t = (const DeviceType *)type_parent((const ObjectType *)t)) {
        const char *why = t->not_saved ? t->not_saved : t->unsaved ? t->unsaved(d) : NULL;

        if (why) {
            return why;
        }
    }
    return NULL;
}

bool machine_state_possible(Vm *vm, GError **error)
{
    g_autoptr(GPtrArray) devices = all_devices();

    for (unsigned i = 0; i < devices->len; i++) {
        Device *d = g_ptr_array_index(devices, i);
        const char *why = why_not(d);

        if (!why && d->obj.kind == KIND_CPU && !device_type(d)->state &&
            !((const DeviceType *)type_parent(d->obj.type))->state) {
            why = "its state cannot be saved yet";
        }
        if (why) {
            g_autofree char *path = object_path(&d->obj);

            return fail(error, "device '%s' (%s): %s", d->id ? d->id : path, d->obj.type->name,
                        why);
        }
    }
    return true;
}

bool machine_state_save_header(Vm *vm, StateStream *s, GError **error)
{
    return stream_put(s, MAGIC, 8, error) && stream_put_u32(s, FORMAT_VERSION, error) &&
           stream_put_text(s, vm->arch, error) &&
           stream_put_text(s, vm->machine_type->machine_name, error);
}

bool machine_state_save_devices(Vm *vm, StateStream *s, GError **error)
{
    g_autoptr(GPtrArray) devices = all_devices();

    if (!stream_put_u8(s, SECTION_CLOCK, error) ||
        !stream_put_u64(s, (uint64_t)clock_now_ns(CLOCK_GUEST), error)) {
        return false;
    }
    for (unsigned i = 0; i < devices->len; i++) {
        if (!save_device(s, g_ptr_array_index(devices, i), error)) {
            return false;
        }
    }
    for (unsigned i = 0; vm->extra_state && i < vm->extra_state->len; i++) {
        if (!save_extra(s, &g_array_index(vm->extra_state, ExtraState, i), error)) {
            return false;
        }
    }
    return stream_put_u8(s, SECTION_END, error) && stream_flush(s, error);
}

static void saving(Device *d, const DeviceType *t)
{
    for (; t; t = (const DeviceType *)type_parent((const ObjectType *)t)) {
        if (t->saving) {
            t->saving(d);
        }
    }
}

void machine_state_prepare(Vm *vm)
{
    g_autoptr(GPtrArray) devices = all_devices();

    for (unsigned i = 0; i < devices->len; i++) {
        Device *d = g_ptr_array_index(devices, i);

        saving(d, device_type(d));
    }
}

bool machine_state_save(Vm *vm, StateStream *s, GError **error)
{
    g_autoptr(GPtrArray) ram = NULL;
    RamCounts counts = {0};
    bool good;

    if (!machine_state_possible(vm, error)) {
        return false;
    }
    machine_state_prepare(vm);
    ram = ram_send_new();
    stream_open(s);
    good = machine_state_save_header(vm, s, error) &&
           ram_send(s, ram, &counts, NULL, NULL, error) && machine_state_save_devices(vm, s, error);
    stream_close(s);
    return good;
}

static bool load_header(Vm *vm, StateStream *s, GError **error)
{
    g_autofree char *arch = NULL, *machine = NULL;
    char magic[8];
    uint32_t version;

    if (!stream_get(s, magic, sizeof(magic), error)) {
        return false;
    }
    if (memcmp(magic, MAGIC, sizeof(magic)) != 0) {
        return fail(error, "this is not the state of a machine of this program");
    }
    if (!stream_get_u32(s, &version, error) || !(arch = stream_get_text(s, error)) ||
        !(machine = stream_get_text(s, error))) {
        return false;
    }
    if (version != FORMAT_VERSION) {
        return fail(error, "the machine's state has version %u, not %u", version, FORMAT_VERSION);
    }
    if (strcmp(arch, vm->arch) != 0 || strcmp(machine, vm->machine_type->machine_name) != 0) {
        return fail(error, "the state is of machine '%s' (%s), not of '%s' (%s)", machine, arch,
                    vm->machine_type->machine_name, vm->arch);
    }
    return true;
}

static bool load_run_state(StateStream *s, RunState *was, GError **error)
{
    g_autofree char *name = stream_get_text(s, error);

    if (!name) {
        return false;
    }
    for (RunState r = 0; r < RUN_STATE_COUNT; r++) {
        if (strcmp(runstate_name(r), name) == 0) {
            *was = r;
            return true;
        }
    }
    return fail(error, "unknown run state '%s' in the machine's state", name);
}

/* Dirty bitmaps of disks are only kept: the caller knows what to do with them, and when. */
static bool load_bitmaps(StateStream *s, GError **error)
{
    uint32_t len;

    if (!stream_get_u32(s, &len, error)) {
        return false;
    }
    if (s->bitmaps || len > MAX_BITMAP_BYTES) {
        return fail(error, "the machine's state has %s",
                    s->bitmaps ? "bitmaps twice" : "too many bitmaps");
    }
    s->bitmaps = g_byte_array_new();
    while (len) {
        uint8_t piece[4096];
        uint32_t n = MIN(len, sizeof(piece));

        if (!stream_get(s, piece, n, error)) {
            return false;
        }
        g_byte_array_append(s->bitmaps, piece, n);
        len -= n;
    }
    return true;
}

static bool load_sections(StateStream *s, GHashTable *left, RunState *was, GError **error)
{
    bool has_time = false;

    for (;;) {
        uint8_t kind;
        uint64_t ns;

        if (!stream_get(s, &kind, 1, error)) {
            return false;
        }
        switch (kind) {
        case SECTION_END:
            return true;
        case SECTION_CLOCK:
            if (!stream_get_u64(s, &ns, error)) {
                return false;
            }
            if (ns > MAX_TIME_NS) {
                return fail(error, "the machine's time may not be %" PRIu64, ns);
            }
            state_lock(s);
            clock_guest_set((int64_t)ns);
            state_unlock(s);
            has_time = true;
            break;
        case SECTION_RAM:
            if (!ram_receive(s, error)) {
                return false;
            }
            break;
        case SECTION_DEVICE:
            if (!has_time) {
                return fail(error, "the state has a device before the machine's time");
            }
            if (!load_device(s, left, error)) {
                return false;
            }
            break;
        case SECTION_ANSWER:
            s->answer = true;
            break;
        case SECTION_BITMAPS:
            if (!load_bitmaps(s, error)) {
                return false;
            }
            break;
        case SECTION_RUN_STATE:
            if (!load_run_state(s, was, error)) {
                return false;
            }
            break;
        default:
            return fail(error, "unknown section %u in the machine's state", kind);
        }
    }
}

static void loaded(Device *d, const DeviceType *t)
{
    const DeviceType *parent = (const DeviceType *)type_parent((const ObjectType *)t);

    if (parent) {
        loaded(d, parent);
    }
    if (t->post_load) {
        t->post_load(d);
    }
}

static uint64_t number_at(const uint8_t *p, uint32_t size)
{
    return load_sized(p, size, G_BYTE_ORDER == G_BIG_ENDIAN);
}

/* Numbers that other numbers of their structs are limits of. */
static void check_limit(const StateItem *i, void *opaque)
{
    Load *w = opaque;
    const StateField *f = i->field;

    if (!w->good || !f || !f->limit_size) {
        return;
    }
    uint64_t v = number_at(w->base + i->offset, i->size);
    uint64_t limit = number_at(w->base + i->offset - f->offset + f->limit, f->limit_size);

    if (v > limit || (f->below_limit && v && v == limit)) {
        w->good = fail(w->error, "'%s' may not be 0x%" PRIx64 " of 0x%" PRIx64, i->path, v, limit);
    }
}

static bool check_loaded(Device *d, const DeviceType *t, GError **error)
{
    const DeviceType *parent = (const DeviceType *)type_parent((const ObjectType *)t);

    return (!parent || check_loaded(d, parent, error)) &&
           (!t->check_load || t->check_load(d, error));
}

static bool check_all(const GPtrArray *devices, GError **error)
{
    for (unsigned i = 0; i < devices->len; i++) {
        Device *d = g_ptr_array_index(devices, i);
        Load w = {.base = (uint8_t *)d, .d = d, .error = error, .good = true};

        state_foreach(device_type(d), d, check_limit, &w);
        if (!w.good || !check_loaded(d, device_type(d), error)) {
            g_autofree char *path = object_path(&d->obj);

            g_prefix_error(error, "%s: ", path);
            return false;
        }
    }
    return true;
}

/*
 * What follows from the state that was loaded. The machine is reset if that is not good, unless a
 * thread reads it: then the process ends.
 */
static bool finish_load(Vm *vm, StateStream *s, const GPtrArray *devices, bool good, GError **error)
{
    good = good && check_all(devices, error);
    if (!good) {
        if (!s->unlocked) {
            vm_reset(vm);
        }
        return false;
    }
    memory_transaction_begin();
    for (unsigned i = 0; i < devices->len; i++) {
        Device *d = g_ptr_array_index(devices, i);

        loaded(d, device_type(d));
    }
    memory_transaction_commit();
    tlb_flush_all_cpus(vm);
    return true;
}

/* Everything that a state must have something of, by path or name. */
static GHashTable *expected(Vm *vm, const GPtrArray *devices)
{
    GHashTable *left = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (unsigned i = 0; i < devices->len; i++) {
        Device *d = g_ptr_array_index(devices, i);

        g_hash_table_insert(left, object_path(&d->obj), d);
    }
    for (unsigned i = 0; vm->extra_state && i < vm->extra_state->len; i++) {
        ExtraState *e = &g_array_index(vm->extra_state, ExtraState, i);

        g_hash_table_insert(left, g_strdup(e->name), e);
    }
    return left;
}

bool machine_state_load(Vm *vm, StateStream *s, RunState *was, GError **error)
{
    g_autoptr(GHashTable) left = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    RunState state = RUN_STATE_RUNNING;
    bool good;

    state_lock(s);
    good = machine_state_possible(vm, error);
    if (good) {
        devices = all_devices();
        left = expected(vm, devices);
    }
    state_unlock(s);
    if (!good) {
        return false;
    }
    stream_open(s);
    good = load_header(vm, s, error) && load_sections(s, left, &state, error);
    stream_close(s);
    if (good && g_hash_table_size(left) > 0) {
        GHashTableIter it;
        gpointer path;

        g_hash_table_iter_init(&it, left);
        g_hash_table_iter_next(&it, &path, NULL);
        good = fail(error, "the state has nothing of '%s'", (char *)path);
    }
    state_lock(s);
    good = finish_load(vm, s, devices, good, error);
    state_unlock(s);
    if (was) {
        *was = state;
    }
    return good;
}
