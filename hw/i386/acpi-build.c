// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables of the PC boards (ACPI 6.3; MCFG: PCI Firmware 3.2; HPET 1.0a) and the script
 * by which firmware places and links them ("etc/table-loader"). They are built when firmware
 * first reads them: by then it has programmed the PM base and the ECAM window.
 */
#include "acpi-internal.h"
#include "exec/cpu.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE "etc/acpi/rsdp"
#define LOADER_FILE "etc/table-loader"
#define FILE_ROOM (128 * KIB)
#define OEM_ID "EMUVM "
#define OEM_TABLE_ID "EMUPC   "

enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3, ZONE_HIGH = 1, ZONE_FSEG = 2 };

typedef struct __attribute__((packed)) LoaderEntry {
    uint32_t command;
    union {
        struct __attribute__((packed)) { char file[56]; uint32_t align; uint8_t zone; } alloc;
        struct __attribute__((packed)) { char dest[56], src[56]; uint32_t offset; uint8_t size; } pointer;
        struct __attribute__((packed)) { char file[56]; uint32_t offset, start, length; } checksum;
        uint8_t pad[124];
    };
} LoaderEntry;

/* One build of all the tables. */
typedef struct Builder {
    PcBoard *b;
    AcpiInfo info;
    GByteArray *tables, *rsdp, *loader;
    GArray *starts;          /* uint32_t: offsets of what the RSDT lists */
} Builder;

static void put(GByteArray *t, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = v >> 8 * i;

        g_byte_array_append(t, &byte, 1);
    }
}

static void put_zero(GByteArray *t, unsigned n)
{
    while (n--) {
        put(t, 0, 1);
    }
}

/* ---- the loader's script ---- */

static void script_add(Builder *s, const LoaderEntry *e)
{
    g_byte_array_append(s->loader, (const uint8_t *)e, sizeof(*e));
}

static void script_allocate(Builder *s, const char *file, uint32_t align, uint8_t zone)
{
    LoaderEntry e = { .command = GUINT32_TO_LE(LOADER_ALLOCATE) };

    g_strlcpy(e.alloc.file, file, sizeof(e.alloc.file));
    e.alloc.align = GUINT32_TO_LE(align);
    e.alloc.zone = zone;
    script_add(s, &e);
}

static void script_pointer(Builder *s, const char *dest, uint32_t offset, uint8_t size)
{
    LoaderEntry e = { .command = GUINT32_TO_LE(LOADER_ADD_POINTER) };

    g_strlcpy(e.pointer.dest, dest, sizeof(e.pointer.dest));
    g_strlcpy(e.pointer.src, TABLES_FILE, sizeof(e.pointer.src));
    e.pointer.offset = GUINT32_TO_LE(offset);
    e.pointer.size = size;
    script_add(s, &e);
}

static void script_checksum(Builder *s, const char *file, uint32_t offset, uint32_t start, uint32_t length)
{
    LoaderEntry e = { .command = GUINT32_TO_LE(LOADER_ADD_CHECKSUM) };

    g_strlcpy(e.checksum.file, file, sizeof(e.checksum.file));
    e.checksum.offset = GUINT32_TO_LE(offset);
    e.checksum.start = GUINT32_TO_LE(start);
    e.checksum.length = GUINT32_TO_LE(length);
    script_add(s, &e);
}

/* ---- tables ---- */

static uint32_t table_begin(Builder *s, const char *signature, uint8_t revision)
{
    GByteArray *t = s->tables;

    while (t->len & 63) {
        put(t, 0, 1);
    }
    uint32_t at = t->len;

    g_byte_array_append(t, (const uint8_t *)signature, 4);
    put(t, 0, 4);
    put(t, revision, 1);
    put(t, 0, 1);
    g_byte_array_append(t, (const uint8_t *)OEM_ID, 6);
    g_byte_array_append(t, (const uint8_t *)OEM_TABLE_ID, 8);
    put(t, 1, 4);
    g_byte_array_append(t, (const uint8_t *)"EMUV", 4);
    put(t, 1, 4);
    return at;
}

static void table_end(Builder *s, uint32_t at, bool listed)
{
    uint32_t len = s->tables->len - at;

    for (unsigned i = 0; i < 4; i++) {
        s->tables->data[at + 4 + i] = len >> 8 * i;
    }
    script_checksum(s, TABLES_FILE, at + 9, at, len);
    if (listed) {
        g_array_append_val(s->starts, at);
    }
}

static void put_pointer(Builder *s, uint32_t target, uint8_t size)
{
    uint32_t at = s->tables->len;

    put(s->tables, target, size);
    script_pointer(s, TABLES_FILE, at, size);
}

/* Generic address structure, ACPI 6.3 table 5.1. */
static void put_gas(GByteArray *t, uint8_t space, uint8_t bits, uint8_t access, uint64_t address)
{
    put(t, space, 1);
    put(t, bits, 1);
    put(t, 0, 1);
    put(t, access, 1);
    put(t, address, 8);
}

/* Table 5.34, revision 3. */
static void build_fadt(Builder *s, uint32_t facs, uint32_t dsdt)
{
    PcBoard *b = s->b;
    uint32_t pm = b->pm_base ? b->pm_base : 0x600;
    uint32_t gpe = b->q35 ? pm + 0x20 : 0xafe0;
    uint8_t gpe_len = b->q35 ? 16 : 4;
    uint32_t at = table_begin(s, "FACP", 3);
    GByteArray *t = s->tables;

    put_pointer(s, facs, 4);
    put_pointer(s, dsdt, 4);
    put(t, 0, 1);
    put(t, 0, 1);                       /* profile: unspecified */
    put(t, 9, 2);                       /* SCI */
    put(t, 0xb2, 4);                    /* SMI command port */
    put(t, b->q35 ? 2 : 0xf1, 1);
    put(t, b->q35 ? 3 : 0xf0, 1);
    put(t, 0, 2);
    put(t, pm, 4);
    put(t, 0, 4);
    put(t, pm + 4, 4);
    put(t, 0, 4);
    put(t, 0, 4);
    put(t, pm + 8, 4);
    put(t, gpe, 4);
    put(t, 0, 4);
    put(t, 4, 1);
    put(t, 2, 1);
    put(t, 0, 1);
    put(t, 4, 1);
    put(t, gpe_len, 1);
    put(t, 0, 3);
    put(t, 0xfff, 2);                   /* no C2, no C3 */
    put(t, 0xfff, 2);
    put_zero(t, 8);                     /* flush, duty cycle, alarms */
    put(t, 0x32, 1);                    /* century in CMOS */
    put(t, b->q35 ? 3 : 2, 2);          /* 8042, legacy devices */
    put(t, 0, 1);
    /* WBINVD, C1, sleep button is a control method (none), reset register. */
    put(t, 1u << 0 | 1u << 2 | 1u << 5 | 1u << 10, 4);
    put_gas(t, 1, 8, 0, 0xcf9);
    put(t, 0x0f, 1);
    put_zero(t, 3);
    put_zero(t, 16);
    put_gas(t, 1, 32, 0, pm);
    put_zero(t, 12);
    put_gas(t, 1, 16, 0, pm + 4);
    put_zero(t, 12);
    put_zero(t, 12);
    put_gas(t, 1, 32, 0, pm + 8);
    put_gas(t, 1, gpe_len * 8, 0, gpe);
    put_zero(t, 12);
    table_end(s, at, true);
}

/* Table 5.43 and its structures. */
static void build_madt(Builder *s)
{
    static const uint8_t level_lines[] = { 5, 9, 10, 11 };
    uint32_t at = table_begin(s, "APIC", 1);
    GByteArray *t = s->tables;

    put(t, 0xfee00000, 4);
    put(t, 1, 4);
    for (unsigned i = 0; i < s->b->vm->smp.cpus; i++) {
        put(t, 0 | 8 << 8, 2);
        put(t, i, 1);
        put(t, i, 1);
        put(t, 1, 4);
    }
    put(t, 1 | 12 << 8, 2);
    put(t, 0, 2);
    put(t, 0xfec00000, 4);
    put(t, 0, 4);
    put(t, 2 | 10 << 8, 2);             /* timer: line 0 is pin 2 */
    put(t, 0, 2);
    put(t, 2, 4);
    put(t, 0, 2);
    for (unsigned i = 0; i < ARRAY_COUNT(level_lines); i++) {
        put(t, 2 | 10 << 8, 2);
        put(t, 0, 1);
        put(t, level_lines[i], 1);
        put(t, level_lines[i], 4);
        put(t, 0x0d, 2);                /* active high, level */
    }
    put(t, 4 | 6 << 8, 2);              /* NMI on LINT1 of all */
    put(t, 0xff, 1);
    put(t, 0, 2);
    put(t, 1, 1);
    table_end(s, at, true);
}

static void build_hpet(Builder *s)
{
    uint32_t at = table_begin(s, "HPET", 1);

    put(s->tables, 0x8086a201, 4);
    put_gas(s->tables, 0, 0, 0, 0xfed00000);
    put(s->tables, 0, 1);
    put(s->tables, 0, 2);
    put(s->tables, 0, 1);
    table_end(s, at, true);
}

static void build_mcfg(Builder *s)
{
    uint32_t at = table_begin(s, "MCFG", 1);

    put_zero(s->tables, 8);
    put(s->tables, s->info.mmcfg_base, 8);
    put(s->tables, 0, 2);
    put(s->tables, 0, 1);
    put(s->tables, (s->info.mmcfg_size >> 20) - 1, 1);
    put(s->tables, 0, 4);
    table_end(s, at, true);
}

static uint32_t build_facs(Builder *s)
{
    GByteArray *t = s->tables;

    while (t->len & 63) {
        put(t, 0, 1);
    }
    uint32_t at = t->len;

    g_byte_array_append(t, (const uint8_t *)"FACS", 4);
    put(t, 64, 4);
    put_zero(t, 56);
    return at;
}

static uint32_t build_dsdt(Builder *s)
{
    GByteArray *body = acpi_dsdt(s->b, &s->info);
    uint32_t at = table_begin(s, "DSDT", 1);

    g_byte_array_append(s->tables, body->data, body->len);
    g_byte_array_free(body, TRUE);
    table_end(s, at, false);
    return at;
}

static uint32_t build_rsdt(Builder *s)
{
    uint32_t at = table_begin(s, "RSDT", 1);

    for (unsigned i = 0; i < s->starts->len; i++) {
        put_pointer(s, g_array_index(s->starts, uint32_t, i), 4);
    }
    table_end(s, at, false);
    return at;
}

/* 5.2.5.3, revision 0. */
static void build_rsdp(Builder *s, uint32_t rsdt)
{
    g_byte_array_append(s->rsdp, (const uint8_t *)"RSD PTR ", 8);
    put(s->rsdp, 0, 1);
    g_byte_array_append(s->rsdp, (const uint8_t *)OEM_ID, 6);
    put(s->rsdp, 0, 1);
    put(s->rsdp, rsdt, 4);
    script_pointer(s, RSDP_FILE, 16, 4);
    script_checksum(s, RSDP_FILE, 8, 0, 20);
}

static void build_all(Builder *s, PcBoard *b)
{
    uint64_t hole = (4 * GIB + b->high_size + GIB - 1) & ~(GIB - 1);

    s->b = b;
    s->info = (AcpiInfo){ .mmcfg_base = b->mmcfg_base, .mmcfg_size = b->mmcfg_size,
                          .hole64_base = hole, .hole64_size = 32 * GIB };
    s->tables = g_byte_array_new();
    s->rsdp = g_byte_array_new();
    s->loader = g_byte_array_new();
    s->starts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    script_allocate(s, RSDP_FILE, 16, ZONE_FSEG);
    script_allocate(s, TABLES_FILE, 64, ZONE_HIGH);
    uint32_t facs = build_facs(s);
    uint32_t dsdt = build_dsdt(s);

    build_fadt(s, facs, dsdt);
    build_madt(s);
    if (b->hpet) {
        build_hpet(s);
    }
    if (s->info.mmcfg_base) {
        build_mcfg(s);
    }
    build_rsdp(s, build_rsdt(s));
}

static void build_free(Builder *s)
{
    g_byte_array_free(s->tables, TRUE);
    g_byte_array_free(s->rsdp, TRUE);
    g_byte_array_free(s->loader, TRUE);
    g_array_free(s->starts, TRUE);
}

/* The guest begins to read: the files get what is true now. */
static void acpi_refresh(void *opaque)
{
    PcBoard *b = opaque;
    Builder s;

    build_all(&s, b);
    fw_cfg_update_file(b->fw_cfg, TABLES_FILE, s.tables->data, s.tables->len);
    fw_cfg_update_file(b->fw_cfg, RSDP_FILE, s.rsdp->data, s.rsdp->len);
    fw_cfg_update_file(b->fw_cfg, LOADER_FILE, s.loader->data, s.loader->len);
    build_free(&s);
}

bool acpi_build(PcBoard *b, GError **error)
{
    static const char *const names[] = { TABLES_FILE, RSDP_FILE, LOADER_FILE };

    /* Sizes in the directory are fixed at start; contents follow at the first read. */
    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        g_autofree uint8_t *room = g_malloc0(i == 0 ? FILE_ROOM : i == 1 ? 20 : 4096);

        if (!fw_cfg_add_file(b->fw_cfg, names[i], room, i == 0 ? FILE_ROOM : i == 1 ? 20 : 4096)) {
            return fail(error, "no room for ACPI tables in fw_cfg");
        }
        fw_cfg_on_select(b->fw_cfg, names[i], acpi_refresh, b);
    }
    return true;
}
