// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TPM in ACPI tables: the table TPM2 (TCG ACPI Specification 1.2), and its device with the
 * methods by which a system leaves requests for firmware in memory (TCG Physical Presence Interface
 * 1.30; Platform Reset Attack Mitigation 1.10).
 */
#include "hw/acpi/tpm.h"

#define PPI_UUID "3dddfaa6-361b-4eb4-a424-8d10089d1653"
#define MITIGATION_UUID "376054ed-cc13-4675-901c-4756d7f2d45d"
#define PPI_REQUESTS (TPM_PPI_BASE + 0x100)
#define PPI_MITIGATION (TPM_PPI_BASE + 0x15a)
enum { METHOD_FIFO = 6, METHOD_CRB = 7 };
enum { ANY_PRESERVE = 0, BYTE_PRESERVE = 1 };
enum { ARG_UUID = AML_ARG0, ARG_REVISION, ARG_FUNCTION, ARG_PACKAGE };

static void give_int(Aml *a, uint64_t v)
{
    aml_byte(a, AML_RETURN);
    aml_int(a, v);
}

static void give_path(Aml *a, const char *path)
{
    aml_byte(a, AML_RETURN);
    aml_path(a, path);
}

/* Store(DerefOf(Index(Arg3, n)), target) is begun; the target follows. */
static void store_argument(Aml *a, unsigned n)
{
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_DEREF_OF);
    aml_byte(a, AML_INDEX);
    aml_byte(a, ARG_PACKAGE);
    aml_int(a, n);
    aml_byte(a, AML_NULL);
}

/* Store(from, Index(package, n)) */
static void store_element(Aml *a, const char *from, const char *package, unsigned n)
{
    aml_byte(a, AML_STORE);
    aml_path(a, from);
    aml_byte(a, AML_INDEX);
    aml_path(a, package);
    aml_int(a, n);
    aml_byte(a, AML_NULL);
}

static void store_to_request(Aml *a)
{
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_LOCAL0);
    aml_path(a, "PPRQ");
}

static void clear_parameter(Aml *a)
{
    aml_byte(a, AML_STORE);
    aml_int(a, 0);
    aml_path(a, "PPRM");
}

/*
 * What firmware says of the requested operation into Local1; one that it does not know: returns 1.
 */
static void look_up_operation(Aml *a)
{
    store_argument(a, 0);
    aml_byte(a, AML_LOCAL0);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_AND);
    aml_path(a, "TPFN");
    aml_byte(a, AML_LOCAL0);
    aml_int(a, 7);
    aml_byte(a, AML_NULL);
    aml_byte(a, AML_LOCAL1);
}

static void refuse_unknown(Aml *a)
{
    aml_if_equal(a, AML_LOCAL1, 0);
    give_int(a, 1);
    aml_end(a);
}

/* TPFN(operation): firmware's byte of it. */
static void method_flags(Aml *a)
{
    aml_method(a, "TPFN", 1, true);
    aml_if(a);
    aml_byte(a, AML_LGREATER);
    aml_byte(a, AML_ARG0);
    aml_int(a, 0xff);
    give_int(a, 0);
    aml_end(a);
    aml_byte(a, 0x5b);                 /* OperationRegion(TPP1, SystemMemory, base + Arg0, 1) */
    aml_byte(a, 0x80);
    aml_path(a, "TPP1");
    aml_byte(a, AML_SYSTEM_MEMORY);
    aml_byte(a, AML_ADD);
    aml_int(a, TPM_PPI_BASE);
    aml_byte(a, AML_ARG0);
    aml_byte(a, AML_NULL);
    aml_int(a, 1);
    aml_field(a, "TPP1", BYTE_PRESERVE);
    aml_field_unit(a, "TPPF", 8);
    aml_end(a);
    give_path(a, "TPPF");
    aml_end(a);
}

/* Functions 3 and 5: the request that waits, the last one with firmware's answer. */
static void dsm_reports(Aml *a)
{
    aml_if_equal(a, ARG_FUNCTION, 3);
    aml_if_equal(a, ARG_REVISION, 1);
    store_element(a, "PPRQ", "TPM2", 1);
    give_path(a, "TPM2");
    aml_end(a);
    aml_if_equal(a, ARG_REVISION, 2);
    store_element(a, "PPRQ", "TPM3", 1);
    store_element(a, "PPRM", "TPM3", 2);
    give_path(a, "TPM3");
    aml_end(a);
    aml_end(a);
    aml_if_equal(a, ARG_FUNCTION, 5);
    store_element(a, "LPPR", "TPM3", 1);
    store_element(a, "PPRP", "TPM3", 2);
    give_path(a, "TPM3");
    aml_end(a);
}

/* Functions 2, 7 and 8: a request is left, with a parameter, or asked about. */
static void dsm_requests(Aml *a)
{
    aml_if_equal(a, ARG_FUNCTION, 2);
    look_up_operation(a);
    refuse_unknown(a);
    store_to_request(a);
    clear_parameter(a);
    give_int(a, 0);
    aml_end(a);

    aml_if_equal(a, ARG_FUNCTION, 7);
    look_up_operation(a);
    refuse_unknown(a);
    aml_if_equal(a, AML_LOCAL1, 2);
    give_int(a, 3);                    /* blocked by firmware */
    aml_end(a);
    store_to_request(a);
    aml_if_equal(a, ARG_REVISION, 1);
    clear_parameter(a);
    aml_end(a);
    aml_if_equal(a, ARG_REVISION, 2);
    store_argument(a, 1);
    aml_path(a, "PPRM");
    aml_end(a);
    give_int(a, 0);
    aml_end(a);

    aml_if_equal(a, ARG_FUNCTION, 8);
    look_up_operation(a);
    aml_byte(a, AML_RETURN);
    aml_byte(a, AML_LOCAL1);
    aml_end(a);
}

static void if_uuid(Aml *a, const char *uuid)
{
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, ARG_UUID);
    aml_uuid(a, uuid);
}

static void give_buffer(Aml *a, uint16_t functions, uint8_t n)
{
    const uint8_t bytes[2] = { (uint8_t)functions, functions >> 8 };

    aml_byte(a, AML_RETURN);
    aml_buffer(a, bytes, n);
}

static void method_dsm(Aml *a)
{
    aml_method(a, "_DSM", 4, true);
    if_uuid(a, PPI_UUID);
    aml_if_equal(a, ARG_FUNCTION, 0);
    give_buffer(a, 0x1ff, 2);
    aml_end(a);
    aml_if_equal(a, ARG_FUNCTION, 1);
    aml_byte(a, AML_RETURN);
    aml_string(a, "1.3");
    aml_end(a);
    dsm_requests(a);
    dsm_reports(a);
    aml_if_equal(a, ARG_FUNCTION, 4);
    give_int(a, 2);                    /* the machine is to be rebooted */
    aml_end(a);
    aml_if_equal(a, ARG_FUNCTION, 6);
    give_int(a, 3);                    /* the language is firmware's */
    aml_end(a);
    aml_end(a);
    if_uuid(a, MITIGATION_UUID);
    aml_if_equal(a, ARG_FUNCTION, 0);
    give_buffer(a, 3, 1);
    aml_end(a);
    aml_if_equal(a, ARG_FUNCTION, 1);
    store_argument(a, 0);
    aml_path(a, "MOVV");
    give_int(a, 0);
    aml_end(a);
    aml_end(a);
    give_buffer(a, 0, 1);
    aml_end(a);
}

static void name_package(Aml *a, const char *name, unsigned n)
{
    aml_name(a, name);
    aml_package(a, n);
    while (n--) {
        aml_int(a, 0);
    }
    aml_end(a);
}

static void dsdt_ppi(Aml *a)
{
    static const struct { const char *name; unsigned bits;
    } fields[] = {
        {"PPIN", 8}, {"PPIP", 32}, {"PPRP", 32}, {"PPRQ", 32}, {"PPRM", 32}, {"LPPR", 32},
    };

    aml_region(a, "TPP2", AML_SYSTEM_MEMORY, PPI_REQUESTS, 0x5a);
    aml_field(a, "TPP2", ANY_PRESERVE);
    for (unsigned i = 0; i < ARRAY_COUNT(fields); i++) {
        aml_field_unit(a, fields[i].name, fields[i].bits);
    }
    aml_end(a);
    aml_region(a, "TPP3", AML_SYSTEM_MEMORY, PPI_MITIGATION, 1);
    aml_field(a, "TPP3", BYTE_PRESERVE);
    aml_field_unit(a, "MOVV", 8);
    aml_end(a);
    method_flags(a);
    name_package(a, "TPM2", 2);
    name_package(a, "TPM3", 3);
    method_dsm(a);
}

void acpi_dsdt_tpm(Aml *a, const TpmFront *f)
{
    /* UTF-16 */
    static const char description[] = "T\0P\0M\0 \0002\0.\0000\0 \0D\0e\0v\0i\0c\0e\0\0";
    GByteArray *crs = g_byte_array_new();

    aml_device(a, "TPM_");
    aml_name_string(a, "_HID", "MSFT0101");
    aml_name(a, "_STR");
    aml_buffer(a, description, sizeof(description));
    aml_name_int(a, "_UID", 1);
    aml_name_int(a, "_STA", 0x0f);
    aml_res_memory32(crs, true, TPM_BASE, f->kind == TPM_CRB ? 0x1000 : 0x5000);
    aml_name_crs(a, crs);
    if (f->has_ppi) {
        dsdt_ppi(a);
    }
    aml_end(a);
}

void acpi_build_tpm2(AcpiTables *s, const TpmFront *f)
{
    uint32_t at = acpi_table_begin(s, "TPM2", 4);

    acpi_put(s, 0, 2);                 /* a client */
    acpi_put(s, 0, 2);
    acpi_put(s, f->kind == TPM_CRB ? TPM_BASE + 0x40 : 0, 8);
    acpi_put(s, f->kind == TPM_CRB ? METHOD_CRB : METHOD_FIFO, 4);
    acpi_zero(s, 12);
    acpi_put(s, TPM_LOG_SIZE, 4);
    acpi_pointer_to_file(s, TPM_LOG_FILE, 1, 8);
    acpi_table_end(s, at, true);
}
