// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NVDIMM root device (ACPI 6.3, 9.20; NVDIMM DSM Interface, revision 1). A method of the SSDT
 * writes a request into a page that firmware has placed, and the page's address into a register;
 * the answer is in the page then. Functions of a module: size of its labels, read, write. The root
 * device gives the table anew, for modules that came later (_FIT).
 */
#include "hw/acpi/nvdimm.h"

#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/mem/memory-device.h"
#include "util/bswap.h"
#include "util/error.h"

#define PAGE 4096u
#define REQUEST_HEADER 12u /* handle, revision, function */
#define LABEL_HEADER 8u /* offset, length */
#define MAX_TRANSFER (PAGE - REQUEST_HEADER - LABEL_HEADER)
#define HANDLE_TABLE 0x10000u /* not that of a module: reads the table */

enum {
    FN_QUERY = 0,
    FN_LABEL_SIZE = 4,
    FN_LABEL_READ = 5,
    FN_LABEL_WRITE = 6
};
enum {
    DSM_OK = 0,
    DSM_UNSUPPORTED = 1,
    DSM_NO_MODULE = 2,
    DSM_INVALID = 3
};
enum {
    NFIT_RANGE = 0,
    NFIT_MAP = 1,
    NFIT_CONTROL = 4
};

/* Byte-addressable persistent memory. */
static const uint8_t pmem_guid[16] = {0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40,
                                      0xac, 0x43, 0x0d, 0x33, 0x18, 0xb7, 0x8c, 0xdb};

typedef struct AcpiNvdimm {
    Device dev;
} AcpiNvdimm;

/* ---- the table's structures ---- */

static void put(GByteArray *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t b = (uint8_t)(v >> 8 * i);

        g_byte_array_append(out, &b, 1);
    }
}

/* Numbers of a module's structures; its handle is the slot and one. */
static unsigned range_index(const PcDimm *d)
{
    return 2 * ((unsigned)d->slot + 1);
}

static void put_range(GByteArray *out, const PcDimm *d)
{
    put(out, NFIT_RANGE, 2);
    put(out, 56, 2);
    put(out, range_index(d), 2);
    put(out, 3, 2); /* only for online operations; the node is valid */
    put(out, 0, 4);
    put(out, d->node, 4);
    g_byte_array_append(out, pmem_guid, sizeof(pmem_guid));
    put(out, d->mem.addr, 8);
    put(out, d->mem.size, 8);
    put(out, 0x8008, 8); /* write-back, non-volatile */
}

static void put_map(GByteArray *out, const PcDimm *d)
{
    put(out, NFIT_MAP, 2);
    put(out, 48, 2);
    put(out, (unsigned)d->slot + 1, 4);
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, range_index(d), 2);
    put(out, range_index(d) + 1, 2);
    put(out, d->mem.size, 8);
    put(out, 0, 8);
    put(out, 0, 8);
    put(out, 0, 2);
    put(out, 1, 2); /* one way: not interleaved */
    put(out, d->unarmed ? 1u << 3 : 0, 2);
    put(out, 0, 2);
}

static void put_control(GByteArray *out, const PcDimm *d)
{
    put(out, NFIT_CONTROL, 2);
    put(out, 80, 2);
    put(out, range_index(d) + 1, 2);
    put(out, 0x8086, 2);
    put(out, 1, 2);
    put(out, 1, 2);
    put(out, 0, 6); /* subsystem */
    put(out, 0, 6); /* no manufacturing data */
    put(out, 0x123456 + (unsigned)d->slot, 4);
    put(out, 0x301, 2); /* byte-addressable, no energy source, method 1 */
    put(out, 0, 2); /* no windows */
    for (unsigned i = 0; i < 6; i++) {
        put(out, 0, 8);
    }
}

static void put_module(PcDimm *d, void *opaque)
{
    if (d->nonvolatile) {
        put_range(opaque, d);
        put_map(opaque, d);
        put_control(opaque, d);
    }
}

static GByteArray *structures(Vm *vm)
{
    GByteArray *out = g_byte_array_new();

    pc_dimm_foreach(vm, put_module, out);
    return out;
}

/* ---- requests ---- */

typedef struct Search {
    uint32_t handle;
    PcDimm *found;
} Search;

static void match(PcDimm *d, void *opaque)
{
    Search *s = opaque;

    if (d->nonvolatile && (uint32_t)d->slot + 1 == s->handle) {
        s->found = d;
    }
}

/* Bytes of the answer in out; arg: what follows the header. */
static uint32_t label_function(PcDimm *d, uint32_t function, const uint8_t *arg, uint8_t *out)
{
    uint32_t offset = load_le32(arg), len = load_le32(arg + 4);

    store_le32(out, DSM_OK);
    switch (function) {
    case FN_QUERY:
        out[0] = d->label_size ? 1u << FN_QUERY | 1u << FN_LABEL_SIZE | 1u << FN_LABEL_READ |
                                     1u << FN_LABEL_WRITE
                               : 0;
        return 1;
    case FN_LABEL_SIZE:
        store_le32(out + 4, (uint32_t)d->label_size);
        store_le32(out + 8, MAX_TRANSFER);
        return 12;
    case FN_LABEL_READ:
        if (len > MAX_TRANSFER || !nvdimm_label_read(d, offset, out + 4, len)) {
            store_le32(out, DSM_INVALID);
            return 4;
        }
        return 4 + len;
    case FN_LABEL_WRITE:
        if (len > MAX_TRANSFER || !nvdimm_label_write(d, offset, arg + LABEL_HEADER, len)) {
            store_le32(out, DSM_INVALID);
        }
        return 4;
    default:
        store_le32(out, DSM_UNSUPPORTED);
        return 4;
    }
}

static uint32_t read_table(Vm *vm, uint32_t offset, uint8_t *out, uint32_t room)
{
    GByteArray *all = structures(vm);
    uint32_t len = offset < all->len ? MIN(all->len - offset, room) : 0;

    if (len > 0) {
        memcpy(out, all->data + offset, len);
    }
    g_byte_array_free(all, TRUE);
    return len;
}

static uint32_t answer(Vm *vm, const uint8_t *page, uint8_t *out)
{
    Search search = {load_le32(page), NULL};
    uint32_t revision = load_le32(page + 4), function = load_le32(page + 8);
    const uint8_t *arg = page + REQUEST_HEADER;

    if (search.handle == HANDLE_TABLE) {
        return read_table(vm, load_le32(arg), out, PAGE - 4);
    }
    pc_dimm_foreach(vm, match, &search);
    if (search.found && search.found->label_size && revision == 1) {
        return label_function(search.found, function, arg, out);
    }
    if (function == FN_QUERY) {
        out[0] = 0;
        return 1;
    }
    store_le32(out, search.handle && !search.found ? DSM_NO_MODULE : DSM_UNSUPPORTED);
    return 4;
}

static void write_page(Device *d, const RegAccess *a)
{
    g_autofree uint8_t *page = g_malloc(PAGE), *out = g_malloc0(PAGE);
    hwaddr at = (uint32_t)a->value;

    if (!dma_read(d, at, page, PAGE)) {
        guest_error("acpi-nvdimm: no page at 0x%08x", (uint32_t)a->value);
        return;
    }
    uint32_t len = answer(d->vm, page, out + 4);

    store_le32(out, len);
    dma_write(d, at, out, PAGE);
}

static const Reg nvdimm_regs[] = {
    REG_HOOK(0x0, 4, "page", .wmask = UINT32_MAX, .write = write_page,
             .help = "address of a page with a request; the answer is there afterwards"),
};

static const RegBank nvdimm_banks[] = {
    {.name = "regs", .size = 4, BANK_REGS(nvdimm_regs), .help = "requests of methods"},
    {0},
};

static const DeviceType nvdimm_root_type = {
    .name = "acpi-nvdimm",
    .category = "misc",
    .desc = "ACPI NVDIMM root device",
    .internal = true,
    .size = sizeof(AcpiNvdimm),
    .state_version = 1,
    .banks = nvdimm_banks,
};
DEVICE_TYPE(nvdimm_root_type);

bool acpi_nvdimm_create(Vm *vm, Device **d, GError **error)
{
    *d = vm->machine->nvdimm ? device_create(vm, "acpi-nvdimm", NULL, NULL, error, NULL) : NULL;
    return *d || !vm->machine->nvdimm;
}

void acpi_nvdimm_put_nfit(AcpiTables *s, Vm *vm)
{
    GByteArray *all = structures(vm);

    if (all->len > 0) {
        uint32_t at = acpi_table_begin(s, "NFIT", 1);

        acpi_zero(s, 4);
        acpi_bytes(s, all->data, all->len);
        acpi_table_end(s, at, true);
    }
    g_byte_array_free(all, TRUE);
}
