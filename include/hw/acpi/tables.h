// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables in fw_cfg files and the script by which firmware places and links them
 * ("etc/table-loader"). A board gives a function that appends its tables; it runs when
 * firmware first reads the files.
 */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include "hw/nvram/fw_cfg.h"

/* One build of all the tables. */
typedef struct AcpiTables {
    GByteArray *tables, *rsdp, *loader;
    GArray *starts; /* uint32_t: offsets of what the root table lists */
    const char *oem_id, *oem_table_id; /* 6 and 8 characters */
} AcpiTables;

typedef void AcpiBuildFn(AcpiTables *s, void *opaque);
/* Files of at most 128 KiB of tables; build must end with acpi_root. */
bool acpi_publish(FwCfg *f, AcpiBuildFn *build, void *opaque, GError **error);

/*
 * For a board without firmware: the tables are laid out in memory at every reset, the RSDP at `at`,
 * all within `room` bytes. They are built now.
 */
bool acpi_install(AcpiBuildFn *build, void *opaque, uint64_t at, uint64_t room, GError **error);

/* The header; what follows is appended. Gives the table's place, for acpi_table_end. */
uint32_t acpi_table_begin(AcpiTables *s, const char *signature, uint8_t revision);
/* Length and checksum; listed: the root table points to it. */
void acpi_table_end(AcpiTables *s, uint32_t at, bool listed);
/* Little-endian numbers, zeros, bytes. */
void acpi_put(AcpiTables *s, uint64_t v, unsigned bytes);
void acpi_zero(AcpiTables *s, unsigned bytes);
void acpi_bytes(AcpiTables *s, const void *p, size_t n);
/* The address of the table at that place, filled in by firmware. */
void acpi_pointer(AcpiTables *s, uint32_t target, uint8_t bytes);
/* The address of a fw_cfg file of its own, which firmware places; not with acpi_install. */
void acpi_pointer_to_file(AcpiTables *s, const char *file, uint32_t align, uint8_t bytes);
/*
 * The same in steps: firmware places the file; its address is added to an offset in the table; and
 * to the number at a place of the file itself.
 */
void acpi_file(AcpiTables *s, const char *file, uint32_t align);
void acpi_file_pointer(AcpiTables *s, const char *file, uint64_t offset, uint8_t bytes);
void acpi_pointer_in_file(AcpiTables *s, const char *file, uint32_t at, uint8_t bytes);
/* Firmware writes where it placed `file` into the file `dest`: 8 bytes. */
void acpi_report_address(AcpiTables *s, const char *dest, const char *file);
/* Generic address structure (5.2.3.2). */
void acpi_gas(AcpiTables *s, uint8_t space, uint8_t bits, uint8_t access, uint64_t address);
/*
 * The root table, with all that are listed, and the RSDP: revision 0 has an RSDT, revision 2 an
 * XSDT.
 */
void acpi_root(AcpiTables *s, uint8_t revision);

#endif
