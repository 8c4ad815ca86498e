// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI's hardware errors (ACPI 6.3, 18.3.2): the HEST with one source, synchronous external aborts
 * (GHESv2), and the block that firmware places in memory for its records. Nothing here finds
 * errors: the block stays empty.
 */
#include "hw/acpi/ghes.h"

#define BLOCK_FILE "etc/hardware_errors"
#define ADDRESS_FILE "etc/hardware_errors_addr"

enum {
    RECORD_SIZE = 1024,
    ADDRESS_AT = 0, /* where the record is */
    ACK_AT = 8, /* the guest has read it */
    RECORD_AT = 16,
    SOURCE_GHES_V2 = 10,
    NOTIFY_SEA = 8,
    NOTIFY_LENGTH = 28
};

void acpi_ghes_publish(FwCfg *f)
{
    uint8_t block[RECORD_AT + RECORD_SIZE] = {[ADDRESS_AT] = RECORD_AT, [ACK_AT] = 1};
    static const uint8_t address[8];

    fw_cfg_add_file(f, BLOCK_FILE, block, sizeof(block));
    fw_cfg_add_writable_file(f, ADDRESS_FILE, address, sizeof(address), NULL, NULL);
}

void acpi_build_hest(AcpiTables *s)
{
    acpi_file(s, BLOCK_FILE, 8);
    acpi_pointer_in_file(s, BLOCK_FILE, ADDRESS_AT, 8);
    acpi_report_address(s, ADDRESS_FILE, BLOCK_FILE);

    uint32_t at = acpi_table_begin(s, "HEST", 1);

    acpi_put(s, 1, 4); /* sources */
    acpi_put(s, SOURCE_GHES_V2, 2);
    acpi_put(s, 0, 2);
    acpi_put(s, 0xffff, 2); /* no related source */
    acpi_put(s, 0, 1);
    acpi_put(s, 1, 1); /* enabled */
    acpi_put(s, 1, 4); /* records, sections of each, size */
    acpi_put(s, 1, 4);
    acpi_put(s, RECORD_SIZE, 4);
    acpi_put(s, 0x04004000, 4); /* a 64-bit place in memory */
    acpi_file_pointer(s, BLOCK_FILE, ADDRESS_AT, 8);
    acpi_put(s, NOTIFY_SEA, 1);
    acpi_put(s, NOTIFY_LENGTH, 1);
    acpi_zero(s, NOTIFY_LENGTH - 2);
    acpi_put(s, RECORD_SIZE, 4);
    acpi_put(s, 0x04004000, 4);
    acpi_file_pointer(s, BLOCK_FILE, ACK_AT, 8);
    acpi_put(s, ~1ull, 8); /* what is kept and set when it is acknowledged */
    acpi_put(s, 1, 8);
    acpi_table_end(s, at, true);
}
