// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generation ID (Microsoft, Virtual Machine Generation ID, 2012): 16 bytes in memory that are
 * different after a machine went back in time or was copied. Firmware places a page for them and
 * says where.
 */
#include "hw/acpi/vmgenid.h"
#include <string.h>
#include "exec/memory.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/pm.h"
#include "hw/i386/pc.h"
#include "qapi/qapi-commands.h"
#include "util/bswap.h"
#include "util/cutils.h"

#define GUID_FILE "etc/vmgenid_guid"
#define ADDRESS_FILE "etc/vmgenid_addr"
#define PAGE 4096
#define GUID_OFFSET 40             /* behind what firmware takes for the header of a table */
#define PUBLISHED "vmgenid"

typedef struct VmGenId {
    Device dev;
    char *text;                    /* property: "auto" or a GUID */
    uint8_t guid[16];              /* as the text has it: big-endian */
    uint64_t address;              /* of the page; 0: not placed */
} VmGenId;

/* The first three numbers of a GUID are little-endian in memory. */
static void guid_bytes(const VmGenId *s, uint8_t out[16])
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

    for (unsigned i = 0; i < 16; i++) {
        out[i] = s->guid[order[i]];
    }
}

static bool parse_guid(const char *text, uint8_t out[16])
{
    for (unsigned i = 0, n = 0; i < 36; i++) {
        int digit = g_ascii_xdigit_value(text[i]);

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') {
                return false;
            }
        } else if (digit < 0) {
            return false;
        } else {
            out[n / 2] = n & 1 ? out[n / 2] | digit : digit << 4;
            n++;
        }
    }
    return text[36] == '\0';
}

static bool vmgenid_realize(Device *d, GError **error)
{
    VmGenId *s = (VmGenId *)d;
    PcBoard *b = pc_board(d->vm);
    g_autofree char *random = g_uuid_string_random();
    const char *text = strcmp(s->text, "auto") == 0 ? random : s->text;

    if (!b || !b->acpi_pm) {
        return fail(error, "vmgenid requires a PC with ACPI");
    }
    if (vm_published(d->vm, PUBLISHED)) {
        return fail(error, "at most one vmgenid device is permitted");
    }
    if (!parse_guid(text, s->guid)) {
        return fail(error, "Property 'vmgenid.guid' doesn't take value '%s'", text);
    }
    vm_publish(d->vm, PUBLISHED, s);
    return true;
}

static void vmgenid_unrealize(Device *d)
{
    vm_publish(d->vm, PUBLISHED, NULL);
}

static void vmgenid_reset(Device *d)
{
    ((VmGenId *)d)->address = 0;
}

/* This is another generation: the guest is told. */
static void vmgenid_post_load(Device *d)
{
    VmGenId *s = (VmGenId *)d;
    uint8_t bytes[16];

    if (s->address && s->address <= UINT32_MAX) {
        guid_bytes(s, bytes);
        address_space_write(d->vm->memory_as, s->address + GUID_OFFSET, ATTRS_NONE, bytes,
                            sizeof(bytes));
        acpi_gpe_raise(pc_board(d->vm)->acpi_pm, VMGENID_GPE);
    }
}

/* ---- firmware ---- */

static void address_written(void *opaque, const uint8_t *data, size_t len)
{
    VmGenId *s = opaque;

    s->address = len >= 8 ? load_le64(data) : 0;
}

void vmgenid_publish(Vm *vm, FwCfg *fw_cfg)
{
    VmGenId *s = vm_published(vm, PUBLISHED);
    uint8_t page[PAGE] = { 0 }, address[8] = { 0 };

    if (s) {
        guid_bytes(s, page + GUID_OFFSET);
        fw_cfg_add_file(fw_cfg, GUID_FILE, page, sizeof(page));
        fw_cfg_add_writable_file(fw_cfg, ADDRESS_FILE, address, sizeof(address), address_written,
                                 s);
    }
}

static void ssdt_device(Aml *a)
{
    aml_scope(a, "\\_SB");
    aml_device(a, "VGEN");
    aml_name_string(a, "_HID", "QEMUVGID");
    aml_name_string(a, "_CID", "VM_Gen_Counter");
    aml_name_string(a, "_DDN", "VM_Gen_Counter");
    aml_method(a, "_STA", 0, false);
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_path(a, "VGIA");
    aml_int(a, 0);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0x0f);
    aml_end(a);
    /* The address as two halves. */
    aml_name(a, "PAIR");
    aml_package(a, 2);
    aml_int(a, 0);
    aml_int(a, 0);
    aml_end(a);
    aml_method(a, "ADDR", 0, true);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_ADD);
    aml_path(a, "VGIA");
    aml_int(a, GUID_OFFSET);
    aml_byte(a, AML_NULL);
    aml_byte(a, AML_INDEX);
    aml_path(a, "PAIR");
    aml_int(a, 0);
    aml_byte(a, AML_NULL);
    aml_byte(a, AML_RETURN);
    aml_path(a, "PAIR");
    aml_end(a);
    aml_end(a);
    aml_end(a);
    aml_method(a, "\\_GPE._E05", 0, false);
    aml_byte(a, AML_NOTIFY);
    aml_path(a, "\\_SB.VGEN");
    aml_int(a, 0x80);
    aml_end(a);
}

void vmgenid_build(AcpiTables *s, Vm *vm)
{
    /* Name(VGIA, a double word) */
    static const uint8_t name[] = { 0x08, 'V', 'G', 'I', 'A', 0x0c };
    Aml a;

    if (!vm_published(vm, PUBLISHED)) {
        return;
    }
    uint32_t at = acpi_table_begin(s, "SSDT", 1);

    acpi_bytes(s, name, sizeof(name));
    acpi_pointer_to_file(s, GUID_FILE, PAGE, 4);
    aml_init(&a);
    ssdt_device(&a);
    GByteArray *body = aml_steal(&a);

    acpi_bytes(s, body->data, body->len);
    g_byte_array_free(body, TRUE);
    acpi_table_end(s, at, true);
    acpi_report_address(s, ADDRESS_FILE, GUID_FILE);
}

GuidInfo *qmp_query_vm_generation_id(QmpCall *call, GError **error)
{
    const VmGenId *s = vm_published(call->vm, PUBLISHED);
    const uint8_t *g = s ? s->guid : NULL;

    if (!s) {
        return fail_null(error, "VM Generation ID device not found");
    }
    GuidInfo *info = g_new0(GuidInfo, 1);

    info->guid = g_strdup_printf(
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[0], g[1], g[2],
        g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
    return info;
}

static const Prop vmgenid_props[] = {
    PROP_STRING(VmGenId, text, "guid", .def_str = "auto",
                .help = "UUID (aka GUID) or \"auto\" for random value (default)"),
    PROP_END,
};

static const StateField vmgenid_state[] = {
    STATE(VmGenId, address),
    HOST_ONLY(VmGenId, guid, "of this generation"),
    STATE_END,
};

static const DeviceType vmgenid_type = {
    .name = "vmgenid",
    .category = "misc",
    .desc = "Virtual machine generation ID",
    .size = sizeof(VmGenId),
    .state_version = 1,
    .props = vmgenid_props,
    .state = vmgenid_state,
    .realize = vmgenid_realize,
    .unrealize = vmgenid_unrealize,
    .reset = vmgenid_reset,
    .post_load = vmgenid_post_load,
};
DEVICE_TYPE(vmgenid_type);
