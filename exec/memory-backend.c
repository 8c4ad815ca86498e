// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory back ends as objects: anonymous, of a file or folder (hugetlbfs, tmpfs), and memfd; with
 * what the host's kernel shall do with their pages. Not here: persistent memory (pmem=on is
 * refused) and thread contexts.
 */
#include "exec/memory-backend.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/numa.h"
#include "qapi/qapi-commands.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "qom/vm.h"
#include "util/error.h"

enum { MAX_NODE = 63, MAX_PREALLOC_THREADS = 64 };

/* ---- host nodes: a set of small numbers ---- */

static bool parse_nodes(Object *o, const Prop *p, void *field, const char *text, GError **error)
{
    g_auto(GStrv) ranges = g_strsplit(text, ",", -1);
    uint64_t set = 0;

    for (unsigned i = 0; ranges[i] != NULL; i++) {
        g_auto(GStrv) ends = g_strsplit(ranges[i], "-", 2);
        uint64_t first, last;

        if (ends[0] == NULL || !parse_u64(ends[0], &first) ||
            (ends[1] != NULL && !parse_u64(ends[1], &last))) {
            return prop_fail_value(o, p, text, error);
        }
        last = ends[1] != NULL ? last : first;
        if (first > last || last > MAX_NODE) {
            return prop_fail_value(o, p, text, error);
        }
        for (uint64_t n = first; n <= last; n++) {
            set |= 1ull << n;
        }
    }
    *(uint64_t *)field = set;
    return true;
}

static bool nodes_from_json(Object *o, const Prop *p, void *field, json_object *v, GError **error)
{
    uint64_t set = 0;

    if (!json_object_is_type(v, json_type_array)) {
        return prop_fail_json_type(p, "array", error);
    }
    for (size_t i = 0; i < json_object_array_length(v); i++) {
        json_object *n = json_object_array_get_idx(v, i);

        if (!json_object_is_type(n, json_type_int) || json_object_get_int64(n) < 0 ||
            json_object_get_int64(n) > MAX_NODE) {
            return prop_fail_json_type(p, "host NUMA node", error);
        }
        set |= 1ull << json_object_get_int64(n);
    }
    *(uint64_t *)field = set;
    return true;
}

static json_object *nodes_to_json(Object *o, const Prop *p, const void *field)
{
    json_object *list = json_object_new_array();

    for (unsigned n = 0; n <= MAX_NODE; n++) {
        if (*(const uint64_t *)field >> n & 1) {
            json_object_array_add(list, json_object_new_int((int)n));
        }
    }
    return list;
}

static const PropType prop_nodes = {
    .name = "int", .parse = parse_nodes, .from_json = nodes_from_json, .to_json = nodes_to_json,
};

/* ---- pages ---- */

typedef struct Touch {
    uint8_t *start;
    size_t len, page;
    int error;
} Touch;

/* Makes the kernel give all pages now; 0 or an errno. What is in them stays. */
static int populate(uint8_t *start, size_t len)
{
    return madvise(start, len, MADV_POPULATE_WRITE) < 0 ? errno : 0;
}

static gpointer touch_pages(gpointer opaque)
{
    Touch *t = opaque;

    t->error = t->len != 0 ? populate(t->start, t->len) : 0;
    return NULL;
}

static bool preallocate(MemoryBackend *b, size_t page, GError **error)
{
    RamBlock *ram = region_ram_block(&b->region);
    unsigned count = MAX(MIN(b->prealloc_threads, MAX_PREALLOC_THREADS), 1);
    Touch parts[MAX_PREALLOC_THREADS] = { 0 };
    GThread *threads[MAX_PREALLOC_THREADS] = { 0 };
    uint64_t pages = (b->size + page - 1) / page, done = 0;
    int bad = 0;

    for (unsigned i = 0; i < count; i++) {
        uint64_t end = pages * (i + 1) / count;

        parts[i] = (Touch){ ram->host + done * page, (size_t)((end - done) * page), page, 0 };
        threads[i] = g_thread_new("prealloc", touch_pages, &parts[i]);
        done = end;
    }
    for (unsigned i = 0; i < count; i++) {
        g_thread_join(threads[i]);
        bad = bad ? bad : parts[i].error;
    }
    return bad == 0 || fail_errno(error, bad, "preallocating memory failed");
}

static bool bind_nodes(MemoryBackend *b, GError **error)
{
    RamBlock *ram = region_ram_block(&b->region);
    unsigned long mask[2] = { b->host_nodes, 0 };
    static const char *const names[] = { "default", "preferred", "bind", "interleave" };
    enum { STRICT = 1, MOVE = 2 };

    if (b->policy == MEM_DEFAULT && b->host_nodes != 0) {
        return fail(error, "host-nodes must be empty for policy default, or you should explicitly "
                    "specify a policy other than default");
    }
    if (b->policy != MEM_DEFAULT && b->host_nodes == 0) {
        return fail(error, "host-nodes must be set for policy %s", names[b->policy]);
    }
    if (b->policy == MEM_DEFAULT) {
        return true;
    }
    if (syscall(SYS_mbind, ram->host, ram->size, b->policy, mask, MAX_NODE + 2, STRICT | MOVE) <
        0) {
        return fail_errno(error, errno, "cannot bind memory to host NUMA nodes");
    }
    return true;
}

/* What all kinds have in common, once there is a region. page: of what it is made of. */
static bool finish(MemoryBackend *b, size_t page, GError **error)
{
    RamBlock *ram = region_ram_block(&b->region);

    if (b->merge) {
        madvise(ram->host, ram->size, MADV_MERGEABLE);
    }
    if (!b->dump) {
        madvise(ram->host, ram->size, MADV_DONTDUMP);
    }
    return bind_nodes(b, error) && (!b->prealloc || preallocate(b, page, error));
}

static size_t host_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static bool has_size(MemoryBackend *b, GError **error)
{
    return b->size != 0 || fail(error, "Parameter 'size' is missing");
}

/* The name of its RAM block: the object's id, or its path. */
static char *block_name(MemoryBackend *b)
{
    return b->canonical_id ? object_path(&b->obj) : g_strdup(b->obj.name);
}

/* Takes over fd (-1: anonymous). */
static bool make_region(MemoryBackend *b, int fd, GError **error)
{
    g_autofree char *name = block_name(b);
    RamFlags flags = (b->share ? RAM_SHARED : 0) | (b->reserve ? 0 : RAM_NO_RESERVE);

    if (!region_init_ram_fd(&b->region, &b->obj, name, b->size, fd, flags, error)) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    return true;
}

static void backend_finalize(Object *obj)
{
    MemoryBackend *b = (MemoryBackend *)obj;

    if (b->region.ram != NULL) {
        region_fini(&b->region);
    }
}

/* ---- the types ---- */

static const char *const policies[] = { "default", "preferred", "bind", "interleave", NULL };

static const Prop backend_props[] = {
    PROP_BOOL(MemoryBackend, merge, "merge", true, .help = "Mark memory as mergeable"),
    PROP_BOOL(MemoryBackend, dump, "dump", true, .help = "Set to 'off' to exclude from core dump"),
    PROP_BOOL(MemoryBackend, prealloc, "prealloc", false, .help = "Preallocate memory"),
    PROP_U32(MemoryBackend, prealloc_threads, "prealloc-threads", 1,
             .min = 1, .max = MAX_PREALLOC_THREADS, .help = "Number of CPU threads to use for prealloc"),
    PROP_SIZE(MemoryBackend, size, "size", 0, .help = "Size of the memory region (ex: 500M)"),
    PROP(MemoryBackend, host_nodes, "host-nodes", prop_nodes,
         .help = "Binds memory to the list of NUMA host nodes"),
    PROP_ENUM(MemoryBackend, policy, "policy", MEM_DEFAULT, policies, .link = "HostMemPolicy",
              .help = "Set the NUMA policy"),
    PROP_BOOL(MemoryBackend, share, "share", false,
              .help = "Mark the memory as private to the process or shared"),
    PROP_BOOL(MemoryBackend, reserve, "reserve", true,
              .help = "Reserve swap space (or huge pages) if applicable"),
    PROP_BOOL(MemoryBackend, canonical_id, "x-use-canonical-path-for-ramblock-id", false,
              .help = "Name the memory after the object's path"),
    PROP_END,
};

static const ObjectType backend_type = {
    .name = "memory-backend", .abstract = true, .size = sizeof(MemoryBackend),
    .props = backend_props, .finalize = backend_finalize,
};
OBJECT_TYPE(backend_type);

static int make_memfd(const char *name, uint64_t size, unsigned flags, GError **error)
{
    int fd = memfd_create(name, MFD_CLOEXEC | flags);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
        fail_errno(error, errno, "failed to create memfd");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static bool ram_complete(Object *obj, GError **error)
{
    MemoryBackend *b = (MemoryBackend *)obj;
    int fd = -1;

    if (!has_size(b, error)) {
        return false;
    }
    if (b->share) {
        fd = make_memfd(obj->name, b->size, 0, error);
        if (fd < 0) {
            return false;
        }
    }
    return make_region(b, fd, error) && finish(b, host_page(), error);
}

static const ObjectType ram_type = {
    .name = "memory-backend-ram", .parent = "memory-backend", .size = sizeof(MemoryBackend),
    .desc = "Anonymous memory", .user_creatable = true, .complete = ram_complete,
};
OBJECT_TYPE(ram_type);

typedef struct MemfdBackend {
    MemoryBackend base;
    bool hugetlb, seal;
    uint64_t hugetlb_size;
} MemfdBackend;

static bool memfd_complete(Object *obj, GError **error)
{
    MemfdBackend *m = (MemfdBackend *)obj;
    MemoryBackend *b = &m->base;
    unsigned flags = (m->hugetlb ? MFD_HUGETLB : 0) | (m->seal ? MFD_ALLOW_SEALING : 0);
    size_t page = host_page();

    if (!has_size(b, error)) {
        return false;
    }
    if (m->hugetlb_size != 0 && !m->hugetlb) {
        return fail(error, "hugetlbsize needs hugetlb=on");
    }
    if (m->hugetlb_size & (m->hugetlb_size - 1)) {
        return fail(error, "hugetlbsize %" PRIu64 " is no power of 2", m->hugetlb_size);
    }
    if (m->hugetlb) {
        page = m->hugetlb_size != 0 ? m->hugetlb_size : 2 * MIB;
        if (m->hugetlb_size != 0) {
            flags |= (unsigned)__builtin_ctzll(m->hugetlb_size) << MFD_HUGE_SHIFT;
        }
    }
    int fd = make_memfd(obj->name, b->size, flags, error);

    if (fd < 0) {
        return false;
    }
    if (m->seal && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        fail_errno(error, errno, "failed to seal memfd");
        close(fd);
        return false;
    }
    return make_region(b, fd, error) && finish(b, page, error);
}

static const Prop memfd_props[] = {
    PROP_BOOL(MemoryBackend, share, "share", true,
              .help = "Mark the memory as private to the process or shared"),
    PROP_BOOL(MemfdBackend, hugetlb, "hugetlb", false, .help = "Use huge pages"),
    PROP_SIZE(MemfdBackend, hugetlb_size, "hugetlbsize", 0, .help = "Huge pages size (ex: 2M, 1G)"),
    PROP_BOOL(MemfdBackend, seal, "seal", true, .help = "Seal growing & shrinking"),
    PROP_END,
};

static const ObjectType memfd_type = {
    .name = "memory-backend-memfd", .parent = "memory-backend", .size = sizeof(MemfdBackend),
    .desc = "Memory of an anonymous file", .props = memfd_props, .user_creatable = true,
    .complete = memfd_complete,
};
OBJECT_TYPE(memfd_type);

typedef struct FileBackend {
    MemoryBackend base;
    char *path;
    uint64_t align;
    bool discard_data, pmem, readonly;
} FileBackend;

/* Opens the file, or makes one that has no name in a folder. *made: it was not there before. */
static int open_backing(FileBackend *f, bool *made, GError **error)
{
    int flags = (f->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
    int fd = open(f->path, flags);
    struct stat st;

    *made = false;
    if (fd < 0 && errno == ENOENT && !f->readonly) {
        fd = open(f->path, flags | O_CREAT | O_EXCL, 0644);
        *made = fd >= 0;
    }
    if (fd < 0 && errno == EISDIR) {
        g_autofree char *name = g_build_filename(f->path, "guest-memory.XXXXXX", NULL);

        fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0) {
            unlink(name);
        }
    }
    if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    if (fd < 0) {
        fail_errno(error, errno, "can't open backing store %s for guest RAM", f->path);
    }
    return fd;
}

static bool fit_file(FileBackend *f, int fd, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return fail_errno(error, errno, "can't get the size of backing store %s", f->path);
    }
    if (S_ISCHR(st.st_mode)) {
        return true;
    }
    if (st.st_size != 0 && (uint64_t)st.st_size < f->base.size) {
        return fail(error,
                    "backing store size 0x%" PRIx64 " does not match 'size' option 0x%" PRIx64,
                    (uint64_t)st.st_size, f->base.size);
    }
    if (st.st_size == 0 && (f->readonly || ftruncate(fd, (off_t)f->base.size) < 0)) {
        return fail_errno(error, f->readonly ? EROFS : errno,
                          "can't give backing store %s its size", f->path);
    }
    return true;
}

static bool file_complete(Object *obj, GError **error)
{
    FileBackend *f = (FileBackend *)obj;
    bool made;

    if (!has_size(&f->base, error)) {
        return false;
    }
    if (f->path == NULL) {
        return fail(error, "Parameter 'mem-path' is missing");
    }
    if (f->pmem) {
        return fail(error, "pmem=on: this build has no support of persistent memory");
    }
    if (f->readonly && f->base.share) {
        return fail(error, "readonly=on needs share=off");
    }
    if (f->align & (f->align - 1)) {
        return fail(error, "align %" PRIu64 " is no power of 2", f->align);
    }
    int fd = open_backing(f, &made, error);

    if (fd < 0) {
        return false;
    }
    struct stat st;
    size_t page = fstat(fd, &st) == 0 ? MAX((size_t)st.st_blksize, host_page()) : host_page();
    /* make_region takes the descriptor over, with or without success */
    bool good = fit_file(f, fd, error);

    if (!good) {
        close(fd);
    }
    good = good && make_region(&f->base, fd, error) && finish(&f->base, page, error);
    if (!good && made) {
        unlink(f->path);
    }
    return good;
}

static void file_finalize(Object *obj)
{
    FileBackend *f = (FileBackend *)obj;
    RamBlock *ram = region_ram_block(&f->base.region);

    if (f->discard_data && ram != NULL && f->base.share) {
        madvise(ram->host, ram->size, MADV_REMOVE);
    }
}

static const Prop file_props[] = {
    PROP_STRING(FileBackend, path, "mem-path", .help = "File or folder that the memory is of"),
    PROP_SIZE(FileBackend, align, "align", 0, .help = "Alignment of the mapping"),
    PROP_BOOL(FileBackend, discard_data, "discard-data", false,
              .help = "Forget what is in the file at the end"),
    PROP_BOOL(FileBackend, pmem, "pmem", false, .help = "Persistent memory"),
    PROP_BOOL(FileBackend, readonly, "readonly", false, .help = "The file is not written"),
    PROP_END,
};

static const ObjectType file_type = {
    .name = "memory-backend-file", .parent = "memory-backend", .size = sizeof(FileBackend),
    .desc = "Memory of a file", .props = file_props, .user_creatable = true,
    .complete = file_complete, .finalize = file_finalize,
};
OBJECT_TYPE(file_type);

/* ---- a machine's memory ---- */

MemoryBackend *memory_backend_find(const char *id, GError **error)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (obj == NULL || !type_is_a(obj->type, "memory-backend")) {
        return fail_null(error, "Memory backend '%s' not found", id);
    }
    return (MemoryBackend *)obj;
}

bool memory_backend_take(MemoryBackend *b, GError **error)
{
    if (b->mapped) {
        return fail(error, "memory backend '%s' is in use", b->obj.name);
    }
    b->mapped = true;
    object_ref(&b->obj);
    return true;
}

/* The back ends of all nodes, one after the other; NULL without *error: nodes have none. */
static Region *nodes_ram(Vm *vm, const char *id, GError **error)
{
    NumaState *n = vm->numa;
    uint64_t at = 0;
    bool any = false;

    for (unsigned i = 0; n && i < n->count; i++) {
        any |= n->node[i].backend != NULL;
    }
    if (!any) {
        return NULL;
    }
    if (vm->machine->memory_backend) {
        return fail_null(error, "'-machine memory-backend' and '-numa memdev' properties are "
                                "mutually exclusive");
    }
    region_init_container(&n->ram, NULL, id, vm->ram_size);
    for (unsigned i = 0; i < n->count; i++) {
        MemoryBackend *b = n->node[i].backend;

        if (b && b->mapped) {
            return fail_null(error, "memory backend %s can't be used multiple times.", b->obj.name);
        }
        if (b && memory_backend_take(b, error)) {
            region_add(&n->ram, at, &b->region, 0);
            at += b->size;
        }
    }
    return &n->ram;
}

Region *machine_ram(Vm *vm, const char *id, GError **error)
{
    const char *named = vm->machine->memory_backend, *path = option_arg("mem-path", 0);
    Region *of_nodes = nodes_ram(vm, id, error);
    MemoryBackend *b;

    if (of_nodes || *error) {
        return of_nodes;
    }
    if (named == NULL) {
        json_object *props = json_object_new_object();

        if (object_child(object_container("/objects"), id) != NULL) {
            json_object_put(props);
            return fail_null(
                error,
                "object name '%s' is reserved for the default RAM backend, it can't "
                "be used for any other purposes. Change the object's 'id' to something else",
                id);
        }
        json_object_object_add(props, "size", json_object_new_uint64(vm->ram_size));
        json_object_object_add(props, "merge", json_object_new_boolean(vm->machine->mem_merge));
        json_object_object_add(props, "dump",
                               json_object_new_boolean(vm->machine->dump_guest_core));
        json_object_object_add(props, "prealloc",
                               json_object_new_boolean(option_given("mem-prealloc")));
        if (path != NULL) {
            json_object_object_add(props, "mem-path", json_object_new_string(path));
        }
        bool made = user_object_add(path != NULL ? "memory-backend-file" : "memory-backend-ram", id,
                                    props, false, error);

        json_object_put(props);
        if (!made) {
            return NULL;
        }
    }
    b = memory_backend_find(named != NULL ? named : id, error);
    return b != NULL && memory_backend_take(b, error) ? &b->region : NULL;
}

/* How much memory the machine has when its back end is named: as much as that. */
static bool fit_machine(Vm *vm, GError **error)
{
    const char *named = vm->machine->memory_backend;
    MemoryBackend *b;

    if (named == NULL) {
        return true;
    }
    if (option_given("mem-path")) {
        return fail(error, "'-mem-path' can't be used together with '-machine memory-backend'");
    }
    b = memory_backend_find(named, error);
    if (b == NULL) {
        return false;
    }
    if (option_given("m") && vm->ram_size != b->size) {
        return fail(error, "Machine memory size does not match the size of the memory backend");
    }
    vm->ram_size = b->size;
    vm->max_ram_size = MAX(vm->max_ram_size, vm->ram_size);
    return true;
}

/* After hook "machine": the machine and its properties are there. */
START_HOOK(machine_memory, { .phase = START_MACHINE, .name = "memory", .start = fit_machine });

static bool opt_noted(Vm *vm, const char *arg, GError **error)
{
    return true;
}

OPTION(mem_path, { .name = "mem-path", .handle = opt_noted });
OPTION(mem_prealloc, { .name = "mem-prealloc", .handle = opt_noted });

void memory_backends_foreach(void (*fn)(MemoryBackend *b, void *opaque), void *opaque)
{
    Object *top = object_container("/objects");

    for (guint i = 0; top->children != NULL && i < top->children->len; i++) {
        Object *o = top->children->pdata[i];

        if (type_is_a(o->type, "memory-backend") && o->complete) {
            fn((MemoryBackend *)o, opaque);
        }
    }
}

/* ---- query-memdev, info memdev ---- */

static Memdev *describe(MemoryBackend *b)
{
    Memdev *m = g_new0(Memdev, 1);

    m->id = g_strdup(b->obj.name);
    m->size = b->size;
    m->merge = b->merge;
    m->dump = b->dump;
    m->prealloc = b->prealloc;
    m->share = b->share;
    m->has_reserve = true;
    m->reserve = b->reserve;
    m->policy = (HostMemPolicy)b->policy;
    m->host_nodes = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    for (uint16_t n = 0; n <= MAX_NODE; n++) {
        if (b->host_nodes >> n & 1) {
            g_array_append_val(m->host_nodes, n);
        }
    }
    return m;
}

static void add_memdev(MemoryBackend *b, void *opaque)
{
    g_ptr_array_add(opaque, describe(b));
}

GPtrArray *qmp_query_memdev(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    memory_backends_foreach(add_memdev, list);
    return list;
}

static void print_memdev(MemoryBackend *b, void *opaque)
{
    GString *nodes = g_string_new(NULL);

    for (unsigned n = 0; n <= MAX_NODE; n++) {
        if (b->host_nodes >> n & 1) {
            g_string_append_printf(nodes, "%s%u", nodes->len ? "," : "", n);
        }
    }
    g_string_append_printf(opaque,
                           "memory backend: %s\n  size:  %" PRIu64 "\n  merge: %s\n"
                           "  dump: %s\n  prealloc: %s\n  share: %s\n  reserve: %s\n  policy: %s\n"
                           "  host nodes: %s\n\n",
                           b->obj.name, b->size, b->merge ? "true" : "false",
                           b->dump ? "true" : "false", b->prealloc ? "true" : "false",
                           b->share ? "true" : "false", b->reserve ? "true" : "false",
                           policies[b->policy], nodes->str);
    g_string_free(nodes, TRUE);
}

static void hmp_info_memdev(HmpCall *call, GError **error)
{
    memory_backends_foreach(print_memdev, call->out);
}

HMP_INFO(memdev, hmp_info_memdev, "", "show memory backends");
