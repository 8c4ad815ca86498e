// SPDX-License-Identifier: GPL-2.0-or-later
/* Register banks: masks, partial and wide accesses, hooks, holes, byte order, reset. */
#include "exec/bank.h"

#include <string.h>

#include "qom/vm.h"
#include "util/main-loop.h"

typedef struct Regs {
    Device dev;
    uint32_t control, status, data;
    uint16_t half[4];
    uint8_t bytes[8];
    uint64_t wide;
    RegAccess last;
    unsigned hooks;
    uint64_t fifo;
} Regs;

static void regs_write_hook(Device *d, const RegAccess *a)
{
    Regs *s = (Regs *)d;

    s->last = *a;
    s->hooks++;
}

static uint64_t regs_read_hook(Device *d, const RegAccess *a)
{
    ((Regs *)d)->last = *a;
    return 0x11223344;
}

static uint64_t fifo_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((Regs *)opaque)->fifo + offset;
}

static void fifo_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ((Regs *)opaque)->fifo = value;
}

static const RegionOps fifo_ops = {.read = fifo_read, .write = fifo_write};

static const Reg rows[] = {
    REG(Regs, 0x00, control, .reset = 0x80, .wmask = 0x00ff00ff),
    REG(Regs, 0x04, status, .reset = 0xf0f0, .w1c = 0xffff, .wmask = 0xff0000,
        .write = regs_write_hook),
    REG(Regs, 0x08, data, .read = regs_read_hook, .write = regs_write_hook, .wmask = ~0u),
    REG_ARRAY(Regs, 0x10, half, .wmask = 0xffff, .stride = 4, .write = regs_write_hook),
    REG_ARRAY(Regs, 0x20, bytes, .wmask = 0xff),
    REG(Regs, 0x28, wide, .wmask = ~0ull, .reset = 0x1122334455667788),
    REG_HOOK(0x30, 4, "version", .reset = 0xcafe),
};

static const RegBank banks[] = {
    {.name = "little", .size = 0x40, BANK_REGS(rows)},
    {.name = "big", .size = 0x40, BANK_REGS(rows), .endian = DEV_BIG},
    {.name = "mixed", .size = 0x40, BANK_REGS(rows), .ops = &fifo_ops},
    {.name = "words", .size = 0x40, BANK_REGS(rows), .min_access = 4, .max_access = 4},
    {.name = "port", .size = 8, .ops = &fifo_ops, .pio = true},
    {0},
};

static const DeviceType regs_type = {.name = "regs", .size = sizeof(Regs), .banks = banks};
DEVICE_TYPE(regs_type);

static Vm *vm;
static Regs *s;    /* the device under test */
static Device *d;

static void test_masks(void)
{
    device_reset(d);
    g_assert_cmphex(bank_read(d, "little", 0, 4), ==, 0x80);
    bank_write(d, "little", 0, 0xffffffff, 4);
    g_assert_cmphex(s->control, ==, 0x00ff00ff);
    bank_write(d, "little", 0, 0, 1);
    g_assert_cmphex(s->control, ==, 0x00ff0000);
    bank_write(d, "little", 4, 0x0070, 2);
    g_assert_cmphex(s->status, ==, 0xf080);
    g_assert_cmphex(s->last.mask, ==, 0xffff);
    g_assert_cmphex(s->last.old, ==, 0xf0f0);
    bank_write(d, "little", 6, 0xab, 1);
    g_assert_cmphex(s->status, ==, 0xabf080);
    /* the read-only constant */
    bank_write(d, "little", 0x30, 0, 4);
    g_assert_cmphex(bank_read(d, "little", 0x30, 4), ==, 0xcafe);
    g_assert_cmphex(bank_read(d, "little", 0x31, 1), ==, 0xca);
    /* a hole */
    g_assert_cmphex(bank_read(d, "little", 0x0c, 4), ==, 0);
    bank_write(d, "little", 0x3c, 1, 4);
}

static void test_parts(void)
{
    device_reset(d);
    s->hooks = 0;
    bank_write(d, "little", 0x0a, 0xbeef, 2);
    g_assert_cmphex(s->data, ==, 0xbeef0000);
    g_assert_cmphex(s->last.value, ==, 0xbeef0000);
    g_assert_cmphex(s->last.mask, ==, 0xffff0000);
    g_assert_cmphex(bank_read(d, "little", 0x09, 1), ==, 0x33);
    g_assert_cmphex(s->last.mask, ==, 0xff00);
    /* one wide access to two rows */
    s->hooks = 0;
    bank_write(d, "little", 0x00, 0x00aa000100550002, 8);
    g_assert_cmphex(s->control, ==, 0x00550002);
    g_assert_cmphex(s->status, ==, 0x00aaf0f0);
    g_assert_cmpuint(s->hooks, ==, 1);
    /* half of a wide row */
    bank_write(d, "little", 0x2c, 0xdeadbeef, 4);
    g_assert_cmphex(s->wide, ==, 0xdeadbeef55667788);
    g_assert_cmphex(bank_read(d, "little", 0x28, 8), ==, 0xdeadbeef55667788);
    /* arrays */
    bank_write(d, "little", 0x18, 0x7777, 2);
    g_assert_cmphex(s->half[2], ==, 0x7777);
    g_assert_cmpuint(s->last.index, ==, 2);
    bank_write(d, "little", 0x18, 0x66665555, 4);
    g_assert_cmphex(s->half[2], ==, 0x5555);
    bank_write(d, "little", 0x20, 0x0706050403020100, 8);
    g_assert_cmphex(s->bytes[7], ==, 7);
    g_assert_cmphex(bank_read(d, "little", 0x21, 4), ==, 0x04030201);
}

static void test_big(void)
{
    device_reset(d);
    g_assert_cmphex(bank_read(d, "big", 0x28, 4), ==, 0x11223344);
    g_assert_cmphex(bank_read(d, "big", 0x2f, 1), ==, 0x88);
    bank_write(d, "big", 0x28, 0xff, 1);
    g_assert_cmphex(s->wide, ==, 0xff22334455667788);
    bank_write(d, "big", 0x20, 0x0102, 2);
    g_assert_cmphex(s->bytes[0], ==, 1);
    g_assert_cmphex(bank_read(d, "big", 0x20, 4), ==, 0x01020000);
}

static void test_ops_and_sizes(void)
{
    device_reset(d);
    s->fifo = 0x100;
    g_assert_cmphex(bank_read(d, "mixed", 0x38, 4), ==, 0x138);
    g_assert_cmphex(bank_read(d, "mixed", 0x30, 4), ==, 0xcafe);
    bank_write(d, "mixed", 0x38, 0x77, 4);
    g_assert_cmphex(s->fifo, ==, 0x77);
    g_assert_cmphex(bank_read(d, "words", 0x30, 2), ==, 0xffff);
    g_assert_cmphex(bank_read(d, "words", 0x30, 4), ==, 0xcafe);
    g_assert_cmphex(bank_read(d, "words", 0x28, 8), ==, 0x1122334455667788);
}

static void test_map(void)
{
    device_reset(d);
    s->fifo = 0x40;
    device_map(d, "little", 0x1000);
    device_map(d, "port", 0x60);
    g_assert_cmphex(address_space_load(vm->memory_as, 0x1030, 4, DEV_LITTLE, ATTRS_NONE, NULL), ==,
                    0xcafe);
    g_assert_cmphex(address_space_load(vm->io_as, 0x61, 1, DEV_LITTLE, ATTRS_NONE, NULL), ==, 0x41);
    device_unmap(d, "little");
    g_assert_cmphex(address_space_load(vm->memory_as, 0x1030, 4, DEV_LITTLE, ATTRS_NONE, NULL), ==,
                    0xffffffff);
    g_assert_null(device_bank(d, "nothing"));
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int result;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    vm = vm_new();
    address_spaces_init(vm);
    system_bus_new(vm);
    d = device_create(vm, "regs", NULL, NULL, &error, NULL);
    s = (Regs *)d;
    g_test_add_func("/bank/masks", test_masks);
    g_test_add_func("/bank/parts", test_parts);
    g_test_add_func("/bank/big", test_big);
    g_test_add_func("/bank/ops-and-sizes", test_ops_and_sizes);
    g_test_add_func("/bank/map", test_map);
    result = g_test_run();
    device_unplug(d);
    return result;
}
