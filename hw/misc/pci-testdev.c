// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PCI test device (1b36:0005): tests measure with it what an access to a BAR costs. Writing
 * a number to offset 0 of a BAR chooses a test of that BAR; the header then says where, how wide
 * and with which data to write, and counts the writes that reached the program. Tests of event
 * notifiers count nothing, because the notifier takes the write.
 */
#include <stdio.h>
#include <string.h>
#include "hw/pci/pci.h"

#define HEADER_SIZE 0x50u
#define TEST_BASE 0x80u
#define DATA 0xfa
#define DATA_WILDCARD 0xce      /* what differs must match, too */
#define TESTS 3u                /* of a BAR */

enum { HDR_TEST, HDR_WIDTH, HDR_OFFSET = 4, HDR_DATA = 8, HDR_COUNT = 12, HDR_NAME = 16 };

typedef struct PciTestdev {
    PciDevice pci;
    uint64_t membar_size;
    /* state */
    bool chosen;
    uint8_t test;               /* 0 to 2: memory, 3 to 5: ports */
    uint32_t count;
    Region membar;              /* host side */
} PciTestdev;

static const char *const test_names[TESTS] = {"no-eventfd", "wildcard-eventfd",
                                              "datamatch-eventfd"};

static uint8_t test_data(const PciTestdev *s)
{
    return s->test % TESTS == 1 ? DATA_WILDCARD : DATA;
}

static void header(const PciTestdev *s, uint8_t *h)
{
    memset(h, 0, HEADER_SIZE);
    if (!s->chosen) {
        return;
    }
    h[HDR_TEST] = s->test;
    h[HDR_WIDTH] = 1;
    h[HDR_OFFSET] = TEST_BASE + s->test;
    h[HDR_DATA] = test_data(s);
    for (unsigned i = 0; i < 4; i++) {
        h[HDR_COUNT + i] = s->count >> 8 * i;
    }
    snprintf((char *)h + HDR_NAME, HEADER_SIZE - HDR_NAME, "%s-%s",
             s->test < TESTS ? "mmio" : "portio", test_names[s->test % TESTS]);
}

static uint64_t testdev_read(void *opaque, hwaddr offset, unsigned size)
{
    uint8_t h[HEADER_SIZE];

    header(opaque, h);
    return offset < HEADER_SIZE ? h[offset] : 0;
}

static void testdev_write(PciTestdev *s, unsigned first, hwaddr offset, uint64_t value)
{
    if (offset == HDR_TEST) {
        s->chosen = value < TESTS;
        s->test = s->chosen ? first + value : 0;
        s->count = 0;
    } else if (s->chosen && s->test == first && offset == TEST_BASE + s->test &&
               value == test_data(s)) {
        s->count++;
    }
}

static void mem_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    testdev_write(opaque, 0, offset, value);
}

static void io_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    testdev_write(opaque, TESTS, offset, value);
}

static const RegionOps mem_ops = {
    .read = testdev_read, .write = mem_write, .min_size = 1, .max_size = 1};
static const RegionOps io_ops = {
    .read = testdev_read, .write = io_write, .min_size = 1, .max_size = 1};
static const RegBank testdev_banks[] = {
    { .name = "mem", .size = 4096, .ops = &mem_ops },
    { .name = "io", .size = 256, .ops = &io_ops, .pio = true },
    { 0 },
};

static bool testdev_realize(Device *d, GError **error)
{
    PciTestdev *s = (PciTestdev *)d;
    uint64_t size = 4096;

    if (s->membar_size) {
        while (size < s->membar_size && size < 1ull << 62) {
            size <<= 1;
        }
        region_init_container(&s->membar, &d->obj, "pci-testdev-membar", size);
        pci_set_bar(&s->pci, 2, PCI_BAR_MEM64, true, &s->membar);
    }
    return true;
}

static void testdev_unrealize(Device *d)
{
    PciTestdev *s = (PciTestdev *)d;

    if (s->membar_size) {
        region_fini(&s->membar);
    }
}

static const Prop testdev_props[] = {
    PROP_SIZE(PciTestdev, membar_size, "membar", 0, .help = "size of an empty memory BAR, for tests of firmware; 0: none"),
    PROP_END,
};

static const StateField testdev_state[] = {
    STATE(PciTestdev, chosen), STATE_MAX(PciTestdev, test, 2 * TESTS - 1), STATE(PciTestdev, count), HOST_ONLY(PciTestdev, membar, "host side"),
    STATE_END,
};

static void testdev_reset(Device *d)
{
    PciTestdev *s = (PciTestdev *)d;

    s->chosen = false;
    s->test = 0;
    s->count = 0;
}

static const PciInfo testdev_pci = {
    .vendor = 0x1b36, .device = 0x0005, .class_code = 0x00ff00,
    .bar = { { .kind = PCI_BAR_MEM32, .bank = "mem" }, { .kind = PCI_BAR_IO, .bank = "io" } },
};

static const DeviceType testdev_type = {
    .name = "pci-testdev", .parent = "pci-device", .bus = "PCI", .category = "misc", .desc = "PCI Test Device",
    .size = sizeof(PciTestdev), .state_version = 1, .hotpluggable = true, .bus_info = &testdev_pci,
    .props = testdev_props, .banks = testdev_banks, .state = testdev_state, .realize = testdev_realize,
    .unrealize = testdev_unrealize, .reset = testdev_reset,
};
DEVICE_TYPE(testdev_type);
