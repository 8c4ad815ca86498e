// SPDX-License-Identifier: GPL-2.0-or-later
/* Regions, views, accesses, RAM, IOMMUs, mapping. */
#include "exec/memory.h"

#include <string.h>

#include "exec/dma.h"
#include "qom/vm.h"
#include "util/main-loop.h"
#include "util/rcu.h"

static Vm *vm;

/* ---- a device that remembers ---- */

typedef struct Log {
    unsigned reads, writes;
    hwaddr offset;
    uint64_t value;
    unsigned size;
    bool was_locked;
} Log;

static uint64_t log_read(void *opaque, hwaddr offset, unsigned size)
{
    Log *l = opaque;
    uint64_t v = 0;

    l->reads++;
    l->offset = offset;
    l->size = size;
    l->was_locked = machine_locked();
    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)(uint8_t)(offset + i) << (8 * i);
    }
    return v;
}

static uint64_t log_read_big(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t v = log_read(opaque, offset, size);

    return __builtin_bswap64(v) >> (64 - 8 * size);
}

static void log_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Log *l = opaque;

    l->writes++;
    l->offset = offset;
    l->size = size;
    l->value = value;
    l->was_locked = machine_locked();
}

static const RegionOps little_ops = {.read = log_read, .write = log_write};
static const RegionOps big_ops = {.read = log_read_big, .write = log_write, .endian = DEV_BIG};

/* A space of its own for each test. */
typedef struct Space {
    Region root;
    AddressSpace as;
} Space;

static Space *space_new(void)
{
    Space *s = g_new0(Space, 1);

    region_init_container(&s->root, NULL, "root", UINT64_MAX);
    address_space_init(&s->as, &s->root, "test");
    return s;
}

static void space_free(Space *s)
{
    address_space_fini(&s->as);
    region_fini(&s->root);
    g_free(s);
}

static Section at(Space *s, hwaddr addr)
{
    Section x;

    rcu_read_lock();
    x = address_space_lookup(&s->as, addr, false, ATTRS_NONE);
    rcu_read_unlock();
    return x;
}

static uint64_t load(Space *s, hwaddr addr, unsigned size, Endian e)
{
    return address_space_load(&s->as, addr, size, e, ATTRS_NONE, NULL);
}

static void store(Space *s, hwaddr addr, uint64_t v, unsigned size, Endian e)
{
    address_space_store(&s->as, addr, v, size, e, ATTRS_NONE);
}

static void test_overlaps(void)
{
    Space *s = space_new();
    Region low, high, alias, alias2, box;
    Log l = {0}, h = {0};

    region_init_io(&low, NULL, "low", 0x1000, &little_ops, &l);
    region_init_io(&high, NULL, "high", 0x100, &little_ops, &h);
    region_add(&s->root, 0x1000, &low, 0);
    region_add(&s->root, 0x1800, &high, 1);
    g_assert_true(at(s, 0x1000).region == &low);
    g_assert_cmphex(at(s, 0x1000).len, ==, 0x800);
    g_assert_true(at(s, 0x18ff).region == &high);
    g_assert_true(at(s, 0x1900).region == &low);
    g_assert_cmphex(at(s, 0x1900).offset, ==, 0x900);
    g_assert_null(at(s, 0x2000).region);
    g_assert_cmphex(at(s, 0).len, ==, 0x1000);
    region_set_enabled(&high, false);
    g_assert_true(at(s, 0x1800).region == &low);
    g_assert_cmphex(at(s, 0x1000).len, ==, 0x1000);
    region_set_enabled(&high, true);
    region_set_address(&high, 0x4000);
    g_assert_true(at(s, 0x4010).region == &high);

    /* an alias of an alias of the middle of a container */
    region_remove(&high);
    region_remove(&low);
    region_init_container(&box, NULL, "box", 0x10000);
    region_add(&box, 0x8000, &low, 0);
    region_init_alias(&alias, NULL, "alias", &box, 0x8800, 0x1000);
    region_init_alias(&alias2, NULL, "alias2", &alias, 0x100, 0x200);
    region_add(&s->root, 0x100000, &alias2, 0);
    g_assert_true(at(s, 0x100000).region == &low);
    g_assert_cmphex(at(s, 0x100000).offset, ==, 0x900);
    g_assert_cmphex(at(s, 0x100000).len, ==, 0x200);
    region_set_alias_offset(&alias2, 0x700);
    g_assert_cmphex(at(s, 0x100000).offset, ==, 0xf00);
    g_assert_cmphex(at(s, 0x100000).len, ==, 0x100);
    region_set_size(&alias2, 0x80);
    g_assert_null(at(s, 0x100080).region);

    region_fini(&alias2);
    region_fini(&alias);
    region_fini(&low);
    region_fini(&high);
    region_fini(&box);
    space_free(s);
}

static void test_whole_space(void)
{
    Space *s = space_new();
    Region all, top;
    Log l = {0};

    region_init_io(&all, NULL, "all", UINT64_MAX, &little_ops, &l);
    region_init_io(&top, NULL, "top", 0x1000, &little_ops, &l);
    region_add(&s->root, 0, &all, -1);
    g_assert_true(at(s, UINT64_MAX).region == &all);
    g_assert_cmphex(at(s, UINT64_MAX).offset, ==, UINT64_MAX);
    region_add(&s->root, -0x1000ull, &top, 0);
    g_assert_true(at(s, UINT64_MAX).region == &top);
    g_assert_cmphex(at(s, UINT64_MAX).len, ==, 1);
    g_assert_true(at(s, 0).region == &all);
    g_assert_cmphex(at(s, 0).len, ==, -0x1000ull);
    region_set_enabled(&all, false);
    g_assert_cmphex(at(s, 0).len, ==, -0x1000ull);
    region_fini(&top);
    region_fini(&all);
    space_free(s);
}

static void test_transactions(void)
{
    Space *s = space_new();
    Region a;
    Log l = {0};
    struct FlatView *before;

    region_init_io(&a, NULL, "a", 0x1000, &little_ops, &l);
    before = s->as.view;
    memory_transaction_begin();
    region_add(&s->root, 0, &a, 0);
    g_assert_true(s->as.view == before);
    region_remove(&a);
    memory_transaction_commit();
    g_assert_true(s->as.view == before);
    region_add(&s->root, 0, &a, 0);
    g_assert_true(s->as.view != before);
    region_fini(&a);
    space_free(s);
}

static void test_sizes(void)
{
    static const RegionOps bytes = {.read = log_read, .write = log_write, .max_size = 1,
                                    .min_size = 1};
    static const RegionOps words = {.read = log_read, .write = log_write, .min_size = 4,
                                    .max_size = 4};
    static const RegionOps strict = {.read = log_read, .write = log_write, .min_size = 4,
                                     .max_size = 4, .min_valid = 4, .max_valid = 4};
    Space *s = space_new();
    Region r[4];
    Log l = {0};

    region_init_io(&r[0], NULL, "bytes", 0x100, &bytes, &l);
    region_init_io(&r[1], NULL, "words", 0x100, &words, &l);
    region_init_io(&r[2], NULL, "strict", 0x100, &strict, &l);
    region_init_io(&r[3], NULL, "big", 0x100, &big_ops, &l);
    for (unsigned i = 0; i < 4; i++) {
        region_add(&s->root, i * 0x100, &r[i], 0);
    }
    /* split */
    g_assert_cmphex(load(s, 0x10, 4, DEV_LITTLE), ==, 0x13121110);
    g_assert_cmpuint(l.reads, ==, 4);
    g_assert_cmphex(load(s, 0x10, 4, DEV_BIG), ==, 0x10111213);
    /* joined: a byte of a word register */
    g_assert_cmphex(load(s, 0x111, 1, DEV_LITTLE), ==, 0x11);
    g_assert_cmpuint(l.size, ==, 4);
    g_assert_cmphex(l.offset, ==, 0x10);
    store(s, 0x112, 0xab, 1, DEV_LITTLE);
    g_assert_cmphex(l.offset, ==, 0x10);
    g_assert_cmphex(l.value, ==, 0xab0000);
    /* unaligned: in aligned pieces */
    l.reads = 0;
    g_assert_cmphex(load(s, 0x11, 4, DEV_LITTLE), ==, 0x14131211);
    g_assert_cmphex(load(s, 0x103, 4, DEV_LITTLE), ==, 0x06050403);
    g_assert_cmphex(load(s, 0x121, 2, DEV_LITTLE), ==, 0x2221);
    /* refused */
    l.reads = 0;
    g_assert_cmphex(load(s, 0x200, 2, DEV_LITTLE), ==, 0xffff);
    g_assert_cmpuint(l.reads, ==, 0);
    g_assert_cmphex(load(s, 0x204, 4, DEV_LITTLE), ==, 0x07060504);
    g_assert_cmphex(load(s, 0x208, 8, DEV_LITTLE), ==, 0x0f0e0d0c0b0a0908);
    /* big-endian device: the first byte is the most significant */
    g_assert_cmphex(load(s, 0x310, 4, DEV_BIG), ==, 0x10111213);
    g_assert_cmphex(load(s, 0x310, 4, DEV_LITTLE), ==, 0x13121110);
    g_assert_cmphex(load(s, 0x310, 8, DEV_BIG), ==, 0x1011121314151617);
    store(s, 0x310, 0x11223344, 4, DEV_LITTLE);
    g_assert_cmphex(l.value, ==, 0x44332211);
    /* across the border of two regions */
    g_assert_cmphex(load(s, 0xfe, 4, DEV_LITTLE), ==, 0x0100fffe);
    for (unsigned i = 0; i < 4; i++) {
        region_fini(&r[i]);
    }
    space_free(s);
}

static void test_bytes_order(void)
{
    Space *s = space_new();
    Region dev;
    Log l = {0};
    uint8_t buf[32];

    region_init_io(&dev, NULL, "dev", 0x20, &little_ops, &l);
    region_add(&s->root, 0x10, &dev, 0);
    g_assert_cmpint(address_space_read(&s->as, 0xf, ATTRS_NONE, buf, 32), ==, MEM_DECODE_ERROR);
    g_assert_cmphex(buf[0], ==, 0xff);
    for (unsigned i = 1; i < 32; i++) {
        g_assert_cmphex(buf[i], ==, i - 1);
    }
    region_fini(&dev);
    space_free(s);
}

static void test_ram(void)
{
    g_autoptr(GError) error = NULL;
    Space *s = space_new();
    Region ram, rom, window;
    uint8_t buf[8];

    g_assert_true(region_init_ram(&ram, NULL, "ram", 4 * MIB, &error));
    g_assert_true(region_init_rom(&rom, NULL, "rom", 0x1000, &error));
    region_add(&s->root, 0, &ram, 0);
    region_add(&s->root, 0x8000, &rom, 1);
    store(s, 0x1001, 0x11223344, 4, DEV_BIG);
    g_assert_cmphex(load(s, 0x1001, 4, DEV_LITTLE), ==, 0x44332211);
    g_assert_cmphex(((uint8_t *)region_host(&ram))[0x1001], ==, 0x11);
    store(s, 0x8000, 0x55, 1, DEV_LITTLE);
    g_assert_cmphex(load(s, 0x8000, 1, DEV_LITTLE), ==, 0);
    ((uint8_t *)region_host(&rom))[0] = 0x77;
    g_assert_cmphex(load(s, 0x8000, 1, DEV_LITTLE), ==, 0x77);
    g_assert_true(at(s, 0x8000).readonly);
    /* across RAM and ROM */
    g_assert_cmpint(address_space_read(&s->as, 0x7ffc, ATTRS_NONE, buf, 8), ==, MEM_OK);
    g_assert_cmphex(buf[4], ==, 0x77);
    /* a read-only window over RAM (PAM) */
    region_init_alias(&window, NULL, "window", &ram, 0x1000, 0x1000);
    region_add(&s->root, 0x8000, &window, 2);
    g_assert_cmphex(load(s, 0x8001, 1, DEV_LITTLE), ==, 0x11);
    region_set_readonly(&window, true);
    store(s, 0x8001, 0x99, 1, DEV_LITTLE);
    g_assert_cmphex(load(s, 0x1001, 1, DEV_LITTLE), ==, 0x11);
    region_set_readonly(&window, false);
    store(s, 0x8001, 0x99, 1, DEV_LITTLE);
    g_assert_cmphex(load(s, 0x1001, 1, DEV_LITTLE), ==, 0x99);
    address_space_fill(&s->as, 0x2000, ATTRS_NONE, 0xaa, 0x3000);
    g_assert_cmphex(load(s, 0x4ff8, 8, DEV_LITTLE), ==, 0xaaaaaaaaaaaaaaaa);
    g_assert_cmphex(load(s, 0x5000, 1, DEV_LITTLE), ==, 0);
    g_assert_true(ram_host(region_ram_block(&ram)->offset + 5) == (uint8_t *)region_host(&ram) + 5);
    g_assert_true(ram_block_find(region_ram_block(&rom)->offset) == region_ram_block(&rom));
    g_assert_false(region_init_ram(&window, NULL, "huge", 1ull << 60, &error));
    g_assert_nonnull(strstr(error->message, "cannot set up guest memory 'huge'"));
    region_fini(&window);
    region_fini(&ram);
    region_fini(&rom);
    space_free(s);
}

static void test_romd(void)
{
    g_autoptr(GError) error = NULL;
    Space *s = space_new();
    Region flash;
    Log l = {0};

    g_assert_true(region_init_romd(&flash, NULL, "flash", 0x1000, &little_ops, &l, &error));
    region_add(&s->root, 0, &flash, 0);
    ((uint8_t *)region_host(&flash))[5] = 0x42;
    g_assert_cmphex(load(s, 5, 1, DEV_LITTLE), ==, 0x42);
    store(s, 5, 0x90, 1, DEV_LITTLE);
    g_assert_cmpuint(l.writes, ==, 1);
    g_assert_cmpuint(l.reads, ==, 0);
    region_set_romd(&flash, false);
    g_assert_cmphex(load(s, 5, 1, DEV_LITTLE), ==, 5);
    g_assert_cmpuint(l.reads, ==, 1);
    region_fini(&flash);
    space_free(s);
}

static void add_run(hwaddr offset, uint64_t len, void *opaque)
{
    g_string_append_printf(opaque, "%x+%x ", (unsigned)offset, (unsigned)len);
}

static unsigned written;    /* calls of the hook below */

static void count_written(RamBlock *b, uint64_t offset, uint64_t len)
{
    written++;
}

static void test_dirty(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) runs = g_string_new(NULL);
    Space *s = space_new();
    Region ram;
    RamBlock *b;

    g_assert_true(region_init_ram(&ram, NULL, "ram", MIB, &error));
    region_add(&s->root, 0, &ram, 0);
    b = region_ram_block(&ram);
    g_assert_true(ram_page_all_dirty(b, 0x5000));
    region_dirty_take(&ram, DIRTY_DISPLAY, 0, MIB, add_run, runs);
    g_assert_cmpstr(runs->str, ==, "0+100000 ");
    g_string_truncate(runs, 0);
    g_assert_false(ram_page_all_dirty(b, 0x5000));
    store(s, 0x5ffe, 1, 4, DEV_LITTLE);
    store(s, 0x40000, 1, 1, DEV_LITTLE);
    region_dirty_set(&ram, 0xff000, 0x1000);
    g_assert_true(ram_page_all_dirty(b, 0x5000));
    region_dirty_take(&ram, DIRTY_DISPLAY, 0x1800, MIB - 0x1800, add_run, runs);
    g_assert_cmpstr(runs->str, ==, "5000+2000 40000+1000 ff000+1000 ");
    g_string_truncate(runs, 0);
    region_dirty_take(&ram, DIRTY_DISPLAY, 0, MIB, add_run, runs);
    g_assert_cmpstr(runs->str, ==, "");
    region_dirty_take(&ram, DIRTY_MIGRATION, 0x1800, 0x1000, add_run, runs);
    g_assert_cmpstr(runs->str, ==, "1800+1000 ");

    ram_hooks.written = count_written;
    store(s, 0x9000, 1, 4, DEV_LITTLE);
    g_assert_cmpuint(written, ==, 0);
    b->dirty[DIRTY_CODE][0] &= ~(1ul << 9);
    store(s, 0x9000, 1, 4, DEV_LITTLE);
    store(s, 0xa000, 1, 4, DEV_LITTLE);
    g_assert_cmpuint(written, ==, 1);
    ram_hooks.written = NULL;
    region_fini(&ram);
    space_free(s);
}

/* ---- IOMMU: page n of the device is page 0x100 - n of memory; page 3 is read-only ---- */

static AddressSpace *iommu_target;    /* of the test's IOMMU */

static bool mirror(Region *r, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out)
{
    if (iova >= 0x100000 || attrs.requester_id == 0x666) {
        return false;
    }
    *out = (IommuEntry){.target = iommu_target, .translated = (0x100 - (iova >> 12)) << 12,
                        .mask = 0xfff, .read = true, .write = iova >> 12 != 3};
    return true;
}

static void test_iommu(void)
{
    g_autoptr(GError) error = NULL;
    Space *s = space_new(), *io = space_new();
    Region ram, iommu;
    Device d = {.dma = &io->as};
    uint8_t buf[16] = {0};
    uint64_t len = 0x2000;
    bool ok;

    g_assert_true(region_init_ram(&ram, NULL, "ram", 2 * MIB, &error));
    region_add(&s->root, 0, &ram, 0);
    region_init_iommu(&iommu, NULL, "iommu", UINT64_MAX, mirror);
    region_add(&io->root, 0, &iommu, 0);
    iommu_target = &s->as;
    g_assert_true(dma_store(&d, 0x1010, 0x1234, 2, DEV_LITTLE));
    g_assert_cmphex(load(s, 0xff010, 2, DEV_LITTLE), ==, 0x1234);
    /* crosses into the page below */
    g_assert_true(dma_write(&d, 0x1ff8, "0123456789abcdef", 16));
    g_assert_cmphex(load(s, 0xffff8, 1, DEV_LITTLE), ==, '0');
    g_assert_cmphex(load(s, 0xfe000, 1, DEV_LITTLE), ==, '8');
    g_assert_false(dma_write(&d, 0x3000, buf, 1));
    g_assert_true(dma_read(&d, 0x3000, buf, 1));
    g_assert_false(dma_read(&d, 0x100000, buf, 16));
    g_assert_cmphex(buf[15], ==, 0xff);
    dma_load(&d, 0x100000, 4, DEV_LITTLE, &ok);
    g_assert_false(ok);
    d.requester_id = 0x666;
    g_assert_false(dma_store(&d, 0x1010, 0x1234, 2, DEV_LITTLE));
    g_assert_true(address_space_map(&io->as, 0x1000, &len, true, ATTRS_NONE) ==
                  (uint8_t *)region_host(&ram) + 0xff000);
    g_assert_cmphex(len, ==, 0x1000);
    region_fini(&iommu);
    region_fini(&ram);
    space_free(io);
    space_free(s);
}

static void test_map(void)
{
    g_autoptr(GError) error = NULL;
    Space *s = space_new();
    Region ram, dev;
    Log l = {0};
    Device d = {.dma = &s->as};
    uint64_t len = 0x10000;
    uint8_t *p;
    DmaList list;

    g_assert_true(region_init_ram(&ram, NULL, "ram", 0x4000, &error));
    region_init_io(&dev, NULL, "dev", 0x100, &little_ops, &l);
    region_add(&s->root, 0, &ram, 0);
    region_add(&s->root, 0x4000, &dev, 0);
    p = address_space_map(&s->as, 0x1000, &len, true, ATTRS_NONE);
    g_assert_true(p == (uint8_t *)region_host(&ram) + 0x1000);
    g_assert_cmphex(len, ==, 0x3000);
    address_space_unmap(&s->as, p, len, true, len);
    len = 0x1000;
    p = address_space_map(&s->as, 0x4000, &len, false, ATTRS_NONE);
    g_assert_cmphex(len, ==, 0x100);
    g_assert_cmphex(p[0x42], ==, 0x42);
    address_space_unmap(&s->as, p, len, false, 0);
    len = 0x1000;
    g_assert_null(address_space_map(&s->as, 0x8000, &len, false, ATTRS_NONE));

    dma_list_init(&list, &d);
    dma_list_add(&list, 0x100, 0x100);
    dma_list_add(&list, 0x200, 0x100);
    dma_list_add(&list, 0x4010, 8);
    g_assert_true(dma_list_map(&list, true));
    g_assert_cmpuint(list.niov, ==, 2);
    g_assert_cmpuint(list.size, ==, 0x208);
    memset(list.iov[0].iov_base, 1, 0x200);
    memset(list.iov[1].iov_base, 2, 8);
    dma_list_unmap(&list, 0x208);
    g_assert_cmphex(load(s, 0x2ff, 1, DEV_LITTLE), ==, 1);
    g_assert_cmphex(l.offset, ==, 0x14);
    g_assert_cmphex(l.value, ==, 0x02020202);
    dma_list_add(&list, 0x9000, 8);
    g_assert_false(dma_list_map(&list, false));
    dma_list_add(&list, 0, UINT64_MAX);
    g_assert_false(dma_list_map(&list, false));
    dma_list_free(&list);
    region_fini(&dev);
    region_fini(&ram);
    space_free(s);
}

/* ---- a device whose DMA leads to itself ---- */

static void loop_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Space *s = opaque;

    s->root.addr++;    /* counts calls */
    store(s, 0x10, value, 4, DEV_LITTLE);
}

static void test_loop(void)
{
    static const RegionOps loop_ops = {.read = log_read, .write = loop_write};
    Space *s = space_new();
    Region dev;

    region_init_io(&dev, NULL, "dev", 0x100, &loop_ops, s);
    region_add(&s->root, 0, &dev, 0);
    store(s, 0, 1, 4, DEV_LITTLE);
    g_assert_cmpuint(s->root.addr, ==, 1);
    region_fini(&dev);
    space_free(s);
}

static void test_lock(void)
{
    Space *s = space_new();
    Region dev;
    Log l = {0};

    region_init_io(&dev, NULL, "dev", 0x100, &little_ops, &l);
    region_add(&s->root, 0, &dev, 0);
    machine_unlock();
    store(s, 0, 1, 4, DEV_LITTLE);
    g_assert_true(l.was_locked);
    g_assert_false(machine_locked());
    machine_lock();
    region_fini(&dev);
    space_free(s);
}

/* ---- random trees against the definition ---- */

#define FUZZ_REGIONS 24

/* What the definition says: children from the top down, then the region itself. */
static bool model(Region *r, hwaddr offset, bool readonly, Section *out)
{
    if (!r->enabled || r->size == 0 || (r->size != UINT64_MAX && offset >= r->size)) {
        return false;
    }
    readonly |= r->readonly || r->kind == REGION_ROM;
    for (unsigned i = 0; r->children != NULL && i < r->children->len; i++) {
        Region *c = r->children->pdata[i];

        if (offset >= c->addr && model(c, offset - c->addr, readonly, out)) {
            return true;
        }
    }
    if (r->kind == REGION_ALIAS) {
        return model(r->alias, offset + r->alias_offset, readonly, out);
    }
    if (r->kind == REGION_CONTAINER) {
        return false;
    }
    out->region = r;
    out->offset = offset;
    out->readonly = readonly;
    return true;
}

static void fuzz_make(Space *s, Region *r, Log *l)
{
    for (unsigned i = 0; i < FUZZ_REGIONS; i++) {
        uint64_t size = g_test_rand_int_range(1, 0x1000);
        Region *parent = i == 0 ? &s->root : &r[g_test_rand_int_range(0, i)];

        if (g_test_rand_int_range(0, 3) == 0 || parent->kind == REGION_ALIAS) {
            parent = &s->root;
        }
        switch (g_test_rand_int_range(0, 4)) {
        case 0:
            region_init_container(&r[i], NULL, "c", size);
            break;
        case 1:
            if (i > 0) {
                region_init_alias(&r[i], NULL, "a", &r[g_test_rand_int_range(0, i)],
                                  g_test_rand_int_range(0, 0x800), size);
                parent = &s->root;    /* so that there is no loop */
                break;
            }
            /* fall through */
        default:
            region_init_io(&r[i], NULL, "i", size, &little_ops, l);
            break;
        }
        region_add(parent, g_test_rand_int_range(0, 0x1800), &r[i], g_test_rand_int_range(-2, 3));
    }
}

static void test_fuzz(void)
{
    for (unsigned round = 0; round < 150; round++) {
        Space *s = space_new();
        Region r[FUZZ_REGIONS];
        Log l = {0};

        fuzz_make(s, r, &l);
        for (unsigned step = 0; step < 6; step++) {
            Region *some = &r[g_test_rand_int_range(0, FUZZ_REGIONS)];

            for (hwaddr a = 0; a < 0x3000; a += g_test_rand_int_range(1, 40)) {
                Section want = {0}, got = at(s, a);

                model(&s->root, a, false, &want);
                g_assert_true(got.region == want.region);
                g_assert_cmphex(got.offset, ==, want.offset);
                g_assert_true(got.readonly == want.readonly);
            }
            region_set_enabled(some, g_test_rand_bit());
            region_set_readonly(some, g_test_rand_bit());
            region_set_address(some, g_test_rand_int_range(0, 0x1800));
        }
        for (unsigned i = FUZZ_REGIONS; i-- > 0;) {
            region_fini(&r[i]);
        }
        space_free(s);
    }
}

static void test_print(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Region dev, alias;
    Log l = {0};

    region_init_io(&dev, NULL, "dev", 0x100, &little_ops, &l);
    region_init_alias(&alias, NULL, "win", &dev, 0x10, 0x20);
    region_add(vm->memory, 0x1000, &dev, 0);
    region_add(vm->memory, 0x2000, &alias, 1);
    memory_print_tree(out, false);
    g_assert_nonnull(strstr(out->str,
                            "address-space: memory\n"
                            "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
                            "    0000000000001000-00000000000010ff (prio 0, i/o): dev\n"
                            "    0000000000002000-000000000000201f (prio 1, i/o): alias win @dev "
                            "0000000000000010-000000000000002f\n"));
    g_string_truncate(out, 0);
    memory_print_tree(out, true);
    g_assert_nonnull(strstr(out->str, " AS \"memory\", root: system\n"));
    g_assert_nonnull(strstr(out->str, "  0000000000002000-000000000000201f (prio 0, i/o): dev "
                                      "@0000000000000010\n"));
    region_fini(&alias);
    region_fini(&dev);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    vm = vm_new();
    address_spaces_init(vm);
    g_test_add_func("/memory/overlaps", test_overlaps);
    g_test_add_func("/memory/whole-space", test_whole_space);
    g_test_add_func("/memory/transactions", test_transactions);
    g_test_add_func("/memory/sizes", test_sizes);
    g_test_add_func("/memory/bytes", test_bytes_order);
    g_test_add_func("/memory/ram", test_ram);
    g_test_add_func("/memory/romd", test_romd);
    g_test_add_func("/memory/dirty", test_dirty);
    g_test_add_func("/memory/iommu", test_iommu);
    g_test_add_func("/memory/map", test_map);
    g_test_add_func("/memory/loop", test_loop);
    g_test_add_func("/memory/lock", test_lock);
    g_test_add_func("/memory/fuzz", test_fuzz);
    g_test_add_func("/memory/print", test_print);
    return g_test_run();
}
