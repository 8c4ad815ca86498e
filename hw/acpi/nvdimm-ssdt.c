// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SSDT of NVDIMMs (ACPI 6.3, 9.20): the root device, a device for each slot, and the method by
 * which they reach "acpi-nvdimm".
 */
#include "hw/acpi/aml.h"
#include "hw/acpi/nvdimm.h"

#define PAGE_FILE "etc/acpi/nvdimm-mem"
#define PAGE 4096
#define UUID_ROOT "2f10e7a4-9e91-11e4-89d3-123b93f75cba"
#define UUID_MODULE "4309ac30-0d11-11e4-9191-0800200c9a66"
#define HANDLE_TABLE 0x10000
#define DWORD_PRESERVE 3
enum {
    OBJECT_INTEGER = 1,
    OBJECT_PACKAGE = 4
};

void acpi_nvdimm_publish(Vm *vm, FwCfg *fw_cfg)
{
    static const uint8_t page[PAGE];

    if (vm->machine->nvdimm && vm->ram_slots) {
        fw_cfg_add_file(fw_cfg, PAGE_FILE, page, sizeof(page));
    }
}

static void fields(Aml *a, uint8_t space, uint64_t base)
{
    static const char *const header[] = {"NHDL", "NREV", "NFUN"};

    aml_region(a, "NPIO", space, base, 4);
    aml_field(a, "NPIO", DWORD_PRESERVE);
    aml_field_unit(a, "NPAG", 32);
    aml_end(a);
    aml_region_at(a, "NRAM", AML_SYSTEM_MEMORY, "\\MEMA", PAGE);
    aml_field(a, "NRAM", DWORD_PRESERVE);
    for (unsigned i = 0; i < ARRAY_COUNT(header); i++) {
        aml_field_unit(a, header[i], 32);
    }
    aml_field_unit(a, "NARG", (PAGE - 12) * 8);
    aml_end(a);
    aml_field(a, "NRAM", DWORD_PRESERVE);
    aml_field_unit(a, "NLEN", 32);
    aml_field_unit(a, "NDAT", (PAGE - 4) * 8);
    aml_end(a);
}

static void if_type(Aml *a, unsigned type)
{
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, AML_OBJECT_TYPE);
    aml_byte(a, AML_ARG0 + 3);
    aml_int(a, type);
}

/* NCAL(handle, revision, function, argument): the argument is an integer, or alone in a package. */
static void call_method(Aml *a)
{
    static const char *const header[] = {"NHDL", "NREV", "NFUN"};

    aml_method(a, "NCAL", 4, true);
    for (unsigned i = 0; i < ARRAY_COUNT(header); i++) {
        aml_byte(a, AML_STORE);
        aml_byte(a, AML_ARG0 + i);
        aml_path(a, header[i]);
    }
    if_type(a, OBJECT_INTEGER);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_ARG0 + 3);
    aml_path(a, "NARG");
    aml_end(a);
    if_type(a, OBJECT_PACKAGE);
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, AML_SIZE_OF);
    aml_byte(a, AML_ARG0 + 3);
    aml_int(a, 1);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_DEREF_OF);
    aml_byte(a, AML_INDEX);
    aml_byte(a, AML_ARG0 + 3);
    aml_int(a, 0);
    aml_byte(a, AML_NULL);
    aml_byte(a, AML_LOCAL1);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_LOCAL1);
    aml_path(a, "NARG");
    aml_end(a);
    aml_end(a);
    aml_byte(a, AML_STORE);
    aml_path(a, "\\MEMA");
    aml_path(a, "NPAG");
    aml_byte(a, AML_STORE);
    aml_path(a, "NDAT");
    aml_byte(a, AML_LOCAL0);
    aml_byte(a, AML_RETURN);
    aml_byte(a, AML_MID);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, 0);
    aml_path(a, "NLEN");
    aml_byte(a, AML_NULL);
    aml_end(a);
}

static void dsm(Aml *a, const char *uuid, unsigned handle)
{
    static const uint8_t nothing[1];

    aml_method(a, "_DSM", 4, false);
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, AML_ARG0);
    aml_uuid(a, uuid);
    aml_byte(a, AML_RETURN);
    aml_path(a, "\\_SB.NVDR.NCAL");
    aml_int(a, handle);
    for (unsigned i = 1; i < 4; i++) {
        aml_byte(a, AML_ARG0 + i);
    }
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_buffer(a, nothing, sizeof(nothing));
    aml_end(a);
}

/* The structures of the NFIT, piece by piece until there is no more. */
static void fit_method(Aml *a)
{
    const uint8_t locals[2] = {AML_LOCAL0 + 2, AML_LOCAL0 + 3}; /* what there is, its size */

    aml_method(a, "_FIT", 0, true);
    aml_byte(a, AML_STORE);
    aml_buffer(a, NULL, 0);
    aml_byte(a, locals[0]);
    aml_byte(a, AML_STORE);
    aml_int(a, 0);
    aml_byte(a, locals[1]);
    aml_while(a);
    aml_int(a, 1);
    aml_byte(a, AML_STORE);
    aml_path(a, "NCAL");
    aml_int(a, HANDLE_TABLE);
    aml_int(a, 1);
    aml_int(a, 1);
    aml_byte(a, locals[1]);
    aml_byte(a, AML_LOCAL0);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_SIZE_OF);
    aml_byte(a, AML_LOCAL0);
    aml_byte(a, AML_LOCAL1);
    aml_if_equal(a, AML_LOCAL1, 0);
    aml_byte(a, AML_RETURN);
    aml_byte(a, locals[0]);
    aml_end(a);
    aml_byte(a, AML_CONCATENATE);
    aml_byte(a, locals[0]);
    aml_byte(a, AML_LOCAL0);
    aml_byte(a, locals[0]);
    aml_byte(a, AML_ADD);
    aml_byte(a, locals[1]);
    aml_byte(a, AML_LOCAL1);
    aml_byte(a, locals[1]);
    aml_end(a);
    /* Never reached; all ways of a method return. */
    aml_byte(a, AML_RETURN);
    aml_byte(a, locals[0]);
    aml_end(a);
}

static void root_device(Aml *a, const Vm *vm, uint8_t space, uint64_t base)
{
    aml_scope(a, "\\_SB");
    aml_device(a, "NVDR");
    aml_name_string(a, "_HID", "ACPI0012");
    fields(a, space, base);
    call_method(a);
    dsm(a, UUID_ROOT, 0);
    fit_method(a);
    for (unsigned i = 0; i < vm->ram_slots; i++) {
        char name[8];

        g_snprintf(name, sizeof(name), "NV%02X", i);
        aml_device(a, name);
        aml_name_int(a, "_ADR", i + 1);
        dsm(a, UUID_MODULE, i + 1);
        aml_end(a);
    }
    aml_end(a);
    aml_end(a);
}

void acpi_build_nvdimm(AcpiTables *s, Vm *vm, uint8_t space, uint64_t base, bool gpe)
{
    /* Name(MEMA, a double word) */
    static const uint8_t name[] = {0x08, 'M', 'E', 'M', 'A', 0x0c};
    Aml a;

    if (!vm->machine->nvdimm || !vm->ram_slots) {
        return;
    }
    acpi_nvdimm_put_nfit(s, vm);
    uint32_t at = acpi_table_begin(s, "SSDT", 1);

    acpi_bytes(s, name, sizeof(name));
    acpi_pointer_to_file(s, PAGE_FILE, PAGE, 4);
    aml_init(&a);
    root_device(&a, vm, space, base);
    if (gpe) {
        aml_method(&a, "\\_GPE._E04", 0, false);
        aml_byte(&a, AML_NOTIFY);
        aml_path(&a, "\\_SB.NVDR");
        aml_int(&a, 0x80);
        aml_end(&a);
    }
    GByteArray *body = aml_steal(&a);

    acpi_bytes(s, body->data, body->len);
    g_byte_array_free(body, TRUE);
    acpi_table_end(s, at, true);
}
