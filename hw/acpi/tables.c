// SPDX-License-Identifier: GPL-2.0-or-later
/* ACPI tables in memory files (ACPI 6.3, 5.2) and firmware's script for them. */
#include "hw/acpi/tables.h"
#include "exec/loader.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE "etc/acpi/rsdp"
#define LOADER_FILE "etc/table-loader"
#define FILE_ROOM (128 * KIB)
#define RSDP_LEN 36

enum {
    LOADER_ALLOCATE = 1,
    LOADER_ADD_POINTER = 2,
    LOADER_ADD_CHECKSUM = 3, LOADER_WRITE_POINTER = 4,
    ZONE_HIGH = 1,
    ZONE_FSEG = 2
};

typedef struct __attribute__((packed)) LoaderEntry {
    uint32_t command;
    union {
        struct __attribute__((packed)) {
            char file[56];
            uint32_t align;
            uint8_t zone;
        } alloc;
        struct __attribute__((packed)) {
            char dest[56], src[56];
            uint32_t offset;
            uint8_t size;
        } pointer;
        struct __attribute__((packed)) {
            char file[56];
            uint32_t offset, start, length;
        } checksum;
        struct __attribute__((packed)) {
            char dest[56], src[56];
            uint32_t offset, src_offset;
            uint8_t size;
        } report;
        uint8_t pad[124];
    };
} LoaderEntry;

typedef struct Publisher {
    FwCfg *fw_cfg;
    AcpiBuildFn *build;
    void *opaque;
} Publisher;

void acpi_bytes(AcpiTables *s, const void *p, size_t n)
{
    g_byte_array_append(s->tables, p, n);
}

static void put(GByteArray *t, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = v >> 8 * i;

        g_byte_array_append(t, &byte, 1);
    }
}

void acpi_put(AcpiTables *s, uint64_t v, unsigned bytes)
{
    put(s->tables, v, bytes);
}

void acpi_zero(AcpiTables *s, unsigned bytes)
{
    while (bytes--) {
        put(s->tables, 0, 1);
    }
}

/* ---- the loader's script ---- */

static void script_allocate(AcpiTables *s, const char *file, uint32_t align, uint8_t zone)
{
    LoaderEntry e = {.command = GUINT32_TO_LE(LOADER_ALLOCATE)};

    g_strlcpy(e.alloc.file, file, sizeof(e.alloc.file));
    e.alloc.align = GUINT32_TO_LE(align);
    e.alloc.zone = zone;
    g_byte_array_append(s->loader, (const uint8_t *)&e, sizeof(e));
}

static void script_pointer_to(AcpiTables *s, const char *dest, const char *src, uint32_t offset,
                              uint8_t size)
{
    LoaderEntry e = {.command = GUINT32_TO_LE(LOADER_ADD_POINTER)};

    g_strlcpy(e.pointer.dest, dest, sizeof(e.pointer.dest));
    g_strlcpy(e.pointer.src, src, sizeof(e.pointer.src));
    e.pointer.offset = GUINT32_TO_LE(offset);
    e.pointer.size = size;
    g_byte_array_append(s->loader, (const uint8_t *)&e, sizeof(e));
}

static void script_pointer(AcpiTables *s, const char *dest, uint32_t offset, uint8_t size)
{
    script_pointer_to(s, dest, TABLES_FILE, offset, size);
}

static void script_checksum(AcpiTables *s, const char *file, uint32_t offset, uint32_t start,
                            uint32_t length)
{
    LoaderEntry e = {.command = GUINT32_TO_LE(LOADER_ADD_CHECKSUM)};

    g_strlcpy(e.checksum.file, file, sizeof(e.checksum.file));
    e.checksum.offset = GUINT32_TO_LE(offset);
    e.checksum.start = GUINT32_TO_LE(start);
    e.checksum.length = GUINT32_TO_LE(length);
    g_byte_array_append(s->loader, (const uint8_t *)&e, sizeof(e));
}

/* ---- tables ---- */

uint32_t acpi_table_begin(AcpiTables *s, const char *signature, uint8_t revision)
{
    while (s->tables->len & 7) {
        put(s->tables, 0, 1);
    }
    uint32_t at = s->tables->len;

    acpi_bytes(s, signature, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, revision, 1);
    acpi_put(s, 0, 1);
    acpi_bytes(s, s->oem_id, 6);
    acpi_bytes(s, s->oem_table_id, 8);
    acpi_put(s, 1, 4);
    acpi_bytes(s, "EMUV", 4);
    acpi_put(s, 1, 4);
    return at;
}

void acpi_table_end(AcpiTables *s, uint32_t at, bool listed)
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

void acpi_pointer(AcpiTables *s, uint32_t target, uint8_t bytes)
{
    uint32_t at = s->tables->len;

    put(s->tables, target, bytes);
    script_pointer(s, TABLES_FILE, at, bytes);
}

void acpi_file(AcpiTables *s, const char *file, uint32_t align)
{
    script_allocate(s, file, align, ZONE_HIGH);
}

void acpi_file_pointer(AcpiTables *s, const char *file, uint64_t offset, uint8_t bytes)
{
    uint32_t at = s->tables->len;

    put(s->tables, offset, bytes);
    script_pointer_to(s, TABLES_FILE, file, at, bytes);
}

void acpi_pointer_in_file(AcpiTables *s, const char *file, uint32_t at, uint8_t bytes)
{
    script_pointer_to(s, file, file, at, bytes);
}

void acpi_pointer_to_file(AcpiTables *s, const char *file, uint32_t align, uint8_t bytes)
{
    acpi_file(s, file, align);
    acpi_file_pointer(s, file, 0, bytes);
}

void acpi_report_address(AcpiTables *s, const char *dest, const char *file)
{
    LoaderEntry e = { .command = GUINT32_TO_LE(LOADER_WRITE_POINTER) };

    g_strlcpy(e.report.dest, dest, sizeof(e.report.dest));
    g_strlcpy(e.report.src, file, sizeof(e.report.src));
    e.report.size = 8;
    g_byte_array_append(s->loader, (const uint8_t *)&e, sizeof(e));
}

void acpi_gas(AcpiTables *s, uint8_t space, uint8_t bits, uint8_t access, uint64_t address)
{
    acpi_put(s, space, 1);
    acpi_put(s, bits, 1);
    acpi_put(s, 0, 1);
    acpi_put(s, access, 1);
    acpi_put(s, address, 8);
}

void acpi_root(AcpiTables *s, uint8_t revision)
{
    uint8_t width = revision ? 8 : 4;
    uint32_t root = acpi_table_begin(s, revision ? "XSDT" : "RSDT", 1);

    for (unsigned i = 0; i < s->starts->len; i++) {
        acpi_pointer(s, g_array_index(s->starts, uint32_t, i), width);
    }
    acpi_table_end(s, root, false);
    /* 5.2.5.3 */
    g_byte_array_append(s->rsdp, (const uint8_t *)"RSD PTR ", 8);
    put(s->rsdp, 0, 1);
    g_byte_array_append(s->rsdp, (const uint8_t *)s->oem_id, 6);
    put(s->rsdp, revision, 1);
    put(s->rsdp, revision ? 0 : root, 4);
    if (revision) {
        put(s->rsdp, RSDP_LEN, 4);
        put(s->rsdp, root, 8);
        put(s->rsdp, 0, 4);
    }
    script_pointer(s, RSDP_FILE, revision ? 24 : 16, width);
    script_checksum(s, RSDP_FILE, 8, 0, 20);
    if (revision) {
        script_checksum(s, RSDP_FILE, 32, 0, RSDP_LEN);
    }
}

/* ---- files ---- */

static AcpiTables build_tables(AcpiBuildFn *build, void *opaque)
{
    AcpiTables s = {
        .tables = g_byte_array_new(),
        .rsdp = g_byte_array_new(),
        .loader = g_byte_array_new(),
        .starts = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .oem_id = "EMUVM ",
        .oem_table_id = "EMUPC   ",
    };

    script_allocate(&s, RSDP_FILE, 16, ZONE_FSEG);
    script_allocate(&s, TABLES_FILE, 64, ZONE_HIGH);
    build(&s, opaque);
    return s;
}

static void free_tables(AcpiTables *s)
{
    g_byte_array_free(s->tables, TRUE);
    g_byte_array_free(s->rsdp, TRUE);
    g_byte_array_free(s->loader, TRUE);
    g_array_free(s->starts, TRUE);
}

/* The guest begins to read: the files get what is true now. */
static void refresh(void *opaque)
{
    Publisher *p = opaque;
    AcpiTables s = build_tables(p->build, p->opaque);

    fw_cfg_update_file(p->fw_cfg, TABLES_FILE, s.tables->data, s.tables->len);
    fw_cfg_update_file(p->fw_cfg, RSDP_FILE, s.rsdp->data, s.rsdp->len);
    fw_cfg_update_file(p->fw_cfg, LOADER_FILE, s.loader->data, s.loader->len);
    free_tables(&s);
}

bool acpi_publish(FwCfg *f, AcpiBuildFn *build, void *opaque, GError **error)
{
    static const struct {
        const char *name;
        size_t room;
    } files[] = {
        {TABLES_FILE, FILE_ROOM},
        {RSDP_FILE, RSDP_LEN},
        {LOADER_FILE, 8192},
    };
    /* As long-lived as the files. */
    Publisher *p = g_new0(Publisher, 1);

    *p = (Publisher){.fw_cfg = f, .build = build, .opaque = opaque};
    /* Sizes in the directory are fixed at start; contents follow at the first read. */
    for (unsigned i = 0; i < ARRAY_COUNT(files); i++) {
        g_autofree uint8_t *room = g_malloc0(files[i].room);

        if (!fw_cfg_add_file(f, files[i].name, room, files[i].room)) {
            return fail(error, "no room for ACPI tables in fw_cfg");
        }
        fw_cfg_on_select(f, files[i].name, refresh, p);
    }
    return true;
}

/* ---- without firmware: what it would do with the script is done here ---- */

static GByteArray *script_file(const AcpiTables *s, const char *name)
{
    return strcmp(name, RSDP_FILE) == 0 ? s->rsdp : s->tables;
}

static void run_entry(const AcpiTables *s, const LoaderEntry *e, uint64_t tables_at)
{
    switch (GUINT32_FROM_LE(e->command)) {
    case LOADER_ADD_POINTER: {
        uint8_t *p = script_file(s, e->pointer.dest)->data + GUINT32_FROM_LE(e->pointer.offset);
        uint64_t v = 0;

        for (unsigned i = 0; i < e->pointer.size; i++) {
            v |= (uint64_t)p[i] << 8 * i;
        }
        v += tables_at;
        for (unsigned i = 0; i < e->pointer.size; i++) {
            p[i] = v >> 8 * i;
        }
        break;
    }
    case LOADER_ADD_CHECKSUM: {
        uint8_t *file = script_file(s, e->checksum.file)->data;
        uint8_t *sum = file + GUINT32_FROM_LE(e->checksum.offset);

        for (uint32_t i = 0; i < GUINT32_FROM_LE(e->checksum.length); i++) {
            *sum -= i + GUINT32_FROM_LE(e->checksum.start) == GUINT32_FROM_LE(e->checksum.offset)
                        ? 0
                        : file[GUINT32_FROM_LE(e->checksum.start) + i];
        }
        break;
    }
    }
}

bool acpi_install(AcpiBuildFn *build, void *opaque, uint64_t at, uint64_t room, GError **error)
{
    AcpiTables s = build_tables(build, opaque);
    const uint64_t tables_at = at + 64;
    bool fits = s.tables->len + 64 <= room;

    for (unsigned i = 0; fits && i + sizeof(LoaderEntry) <= s.loader->len;
         i += sizeof(LoaderEntry)) {
        run_entry(&s, (const LoaderEntry *)(s.loader->data + i), tables_at);
    }
    if (fits) {
        rom_add_blob("acpi-rsdp", s.rsdp->data, s.rsdp->len, at, NULL);
        rom_add_blob("acpi-tables", s.tables->data, s.tables->len, tables_at, NULL);
    }
    free_tables(&s);
    return fits || fail(error, "the ACPI tables do not fit into %" G_GUINT64_FORMAT " bytes", room);
}
