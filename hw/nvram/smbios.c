// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMBIOS tables (DMTF DSP0134): BIOS, system, chassis, processors, memory; with the entry point of
 * 2.8 or the 64-bit one of 3.0. Firmware copies them and fills in the entry point's address and
 * checksums.
 */
#include "hw/nvram/smbios.h"

#include <stdio.h>
#include <string.h>

#include "exec/cpu.h"
#include "hw/nvram/smbios-options.h"

typedef struct Smbios {
    GByteArray *t;
    unsigned count, largest, start;
    uint16_t handle;
    GPtrArray *strings;      /* of the structure at hand */
} Smbios;

static void put(Smbios *s, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = i < 8 ? v >> 8 * i : 0;

        g_byte_array_append(s->t, &byte, 1);
    }
}

/* A string's number in the structure; the text follows behind it. */
static void put_string(Smbios *s, const char *text)
{
    if (!text || !*text) {
        put(s, 0, 1);
        return;
    }
    g_ptr_array_add(s->strings, (char *)text);
    put(s, s->strings->len, 1);
}

static void begin(Smbios *s, uint8_t type, uint16_t handle)
{
    s->start = s->t->len;
    g_ptr_array_set_size(s->strings, 0);
    put(s, type, 1);
    put(s, 0, 1);
    put(s, handle, 2);
}

static void end(Smbios *s)
{
    s->t->data[s->start + 1] = s->t->len - s->start;
    for (unsigned i = 0; i < s->strings->len; i++) {
        const char *text = g_ptr_array_index(s->strings, i);

        g_byte_array_append(s->t, (const uint8_t *)text, strlen(text) + 1);
    }
    put(s, 0, s->strings->len ? 1 : 2);
    s->largest = MAX(s->largest, s->t->len - s->start);
    s->count++;
}

static void put_bios(Smbios *s)
{
    const char *release = smbios_text(0, "release", "0.0");
    unsigned major = 0, minor = 0;

    (void)sscanf(release, "%u.%u", &major, &minor);
    begin(s, 0, 0x000);
    put_string(s, smbios_text(0, "vendor", "SeaBIOS"));
    put_string(s, smbios_text(0, "version", "unknown"));
    put(s, 0xe800, 2);
    put_string(s, smbios_text(0, "date", "04/01/2014"));
    put(s, 0, 1);
    put(s, 0x08, 8);         /* characteristics are not supported */
    /* targeted content distribution, virtual machine, UEFI */
    put(s, (0x14 | (smbios_flag(0, "uefi") ? 8 : 0)) << 8, 2);
    put(s, major, 1);
    put(s, minor, 1);
    put(s, 0xffff, 2);
    end(s);
}

/* The bytes of a valid text, or those of the machine. */
static void read_uuid(const char *text, const uint8_t machine[16], uint8_t uuid[16])
{
    memcpy(uuid, machine, 16);
    for (unsigned i = 0; text && i < 16; text += 2) {
        text += *text == '-';
        uuid[i++] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
    }
}

static void put_system(Smbios *s, const SmbiosInfo *b)
{
    Vm *vm = b->vm;

    begin(s, 1, 0x100);
    put_string(s, smbios_text(1, "manufacturer", "QEMU"));
    put_string(s, smbios_text(1, "product", b->product ? b->product : vm->machine_type->desc));
    put_string(s, smbios_text(1, "version", vm->machine_type->machine_name));
    put_string(s, smbios_text(1, "serial", NULL));
    /* The first three fields of a UUID are little-endian here (7.2.1). */
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

    uint8_t uuid[16];

    read_uuid(smbios_text(1, "uuid", NULL), vm->uuid, uuid);
    for (unsigned i = 0; i < 16; i++) {
        put(s, uuid[order[i]], 1);
    }
    put(s, 0x06, 1);         /* woken by the power switch */
    put_string(s, smbios_text(1, "sku", NULL));
    put_string(s, smbios_text(1, "family", NULL));
    end(s);
}

/* A base board, when anything is said of it. */
static void put_board(Smbios *s, const SmbiosInfo *b)
{
    Vm *vm = b->vm;
    const char *product = b->product ? b->product : vm->machine_type->desc;

    if (!smbios_fields(2)) {
        return;
    }
    begin(s, 2, 0x200);
    put_string(s, smbios_text(2, "manufacturer", "QEMU"));
    put_string(s, smbios_text(2, "product", product));
    put_string(s, smbios_text(2, "version", vm->machine_type->machine_name));
    put_string(s, smbios_text(2, "serial", NULL));
    put_string(s, smbios_text(2, "asset", NULL));
    put(s, 0x01, 1);         /* hosting board */
    put_string(s, smbios_text(2, "location", NULL));
    put(s, 0x300, 2);
    put(s, 0x0a, 1);         /* motherboard */
    put(s, 0, 1);
    end(s);
}

static void put_oem_strings(Smbios *s)
{
    GPtrArray *list = smbios_oem_strings();

    if (!list || !list->len) {
        return;
    }
    begin(s, 11, 0xe00);
    put(s, list->len, 1);
    for (guint i = 0; i < list->len; i++) {
        g_ptr_array_add(s->strings, list->pdata[i]);
    }
    end(s);
}

/* Structures of files; how many a blob has is how often its strings end. */
static bool put_blob(Smbios *s, unsigned type)
{
    GByteArray *blob = smbios_blob(type);

    if (!blob) {
        return false;
    }
    for (guint at = 0; at + 4 <= blob->len;) {
        guint next = at + blob->data[at + 1];

        while (next + 2 <= blob->len && (blob->data[next] || blob->data[next + 1])) {
            next++;
        }
        next = MIN(next + 2, blob->len);
        g_byte_array_append(s->t, blob->data + at, next - at);
        s->largest = MAX(s->largest, next - at);
        s->count++;
        at = next;
    }
    return true;
}

static void put_chassis(Smbios *s, Vm *vm)
{
    begin(s, 3, 0x300);
    put_string(s, smbios_text(3, "manufacturer", "QEMU"));
    put(s, 1, 1);
    put_string(s, smbios_text(3, "version", vm->machine_type->machine_name));
    put_string(s, smbios_text(3, "serial", NULL));
    put_string(s, smbios_text(3, "asset", NULL));
    put(s, 0x03030303 & 0xffffff, 3);
    put(s, 2, 1);
    put(s, 0, 4);
    put(s, 0, 4);
    if (smbios_text(3, "sku", NULL)) {
        put_string(s, smbios_text(3, "sku", NULL));
    }
    end(s);
}

static void put_processor(Smbios *s, Vm *vm, unsigned i)
{
    g_autofree char *socket = g_strdup_printf("%s %u", smbios_text(4, "sock_pfx", "CPU"), i);

    begin(s, 4, 0x400 + i);
    put_string(s, socket);
    put(s, 3, 1);            /* central processor */
    put(s, 1, 1);            /* family: other */
    put_string(s, smbios_text(4, "manufacturer", "QEMU"));
    put(s, smbios_number(4, "processor-id", 0), 8);
    put_string(s, smbios_text(4, "version", vm->machine_type->machine_name));
    put(s, 0, 1);
    put(s, 0, 2);
    put(s, smbios_number(4, "max-speed", 2000), 2);
    put(s, smbios_number(4, "current-speed", 2000), 2);
    put(s, 0x41, 1);         /* populated, enabled */
    put(s, 1, 1);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put_string(s, smbios_text(4, "serial", NULL));
    put_string(s, smbios_text(4, "asset", NULL));
    put_string(s, smbios_text(4, "part", NULL));
    put(s, MAX(vm->smp.cores, 1), 1);
    put(s, MAX(vm->smp.cores, 1), 1);
    put(s, MAX(vm->smp.threads, 1), 1);
    put(s, 2, 2);
    put(s, 1, 2);
    end(s);
}

static void put_memory_device(Smbios *s, uint64_t mib)
{
    g_autofree char *place = g_strdup_printf("%s 0", smbios_text(17, "loc_pfx", "DIMM"));
    uint64_t speed = smbios_number(17, "speed", 0);

    begin(s, 17, 0x1100);
    put(s, 0x1000, 2);
    put(s, 0xfffe, 2);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put(s, mib < 0x7fff ? mib : 0x7fff, 2);
    put(s, 9, 1);            /* DIMM */
    put(s, 0, 1);
    put_string(s, place);
    put_string(s, smbios_text(17, "bank", NULL));
    put(s, 7, 1);            /* RAM */
    put(s, 2, 2);
    put(s, speed, 2);
    put_string(s, smbios_text(17, "manufacturer", "QEMU"));
    put_string(s, smbios_text(17, "serial", NULL));
    put_string(s, smbios_text(17, "asset", NULL));
    put_string(s, smbios_text(17, "part", NULL));
    put(s, 0, 1);
    put(s, mib < 0x7fff ? 0 : mib, 4);
    put(s, speed, 2);
    put(s, 0, 6);
    end(s);
}

static void put_memory(Smbios *s, const SmbiosInfo *b)
{
    uint64_t mib = b->vm->ram_size / MIB;

    begin(s, 16, 0x1000);
    put(s, 1, 1);
    put(s, 3, 1);
    put(s, 6, 1);            /* multi-bit ECC */
    put(s, b->vm->ram_size / KIB < 0x80000000 ? b->vm->ram_size / KIB : 0x80000000, 4);
    put(s, 0xfffe, 2);
    put(s, 1, 2);
    put(s, b->vm->ram_size / KIB < 0x80000000 ? 0 : b->vm->ram_size, 8);
    end(s);
    if (!put_blob(s, 17)) {
        put_memory_device(s, mib);
    }
    begin(s, 19, 0x1300);
    put(s, b->ram_base / KIB, 4);
    put(s, (b->ram_base + b->low_size) / KIB - 1, 4);
    put(s, 0x1000, 2);
    put(s, 1, 1);
    put(s, 0, 16);
    end(s);
    begin(s, 32, 0x2000);
    put(s, 0, 6);
    put(s, 0, 1);
    end(s);
    begin(s, 127, 0x7f00);
    end(s);
}

/* 5.2.1; address and checksums are firmware's. */
static void put_anchor(Smbios *s, uint8_t anchor[31])
{
    memset(anchor, 0, 31);
    memcpy(anchor, "_SM_", 4);
    anchor[5] = 31;
    anchor[6] = 2;
    anchor[7] = 8;
    anchor[8] = s->largest;
    anchor[9] = s->largest >> 8;
    memcpy(anchor + 16, "_DMI_", 5);
    anchor[22] = s->t->len;
    anchor[23] = s->t->len >> 8;
    anchor[28] = s->count;
    anchor[29] = s->count >> 8;
    anchor[30] = 0x28;
}

/* 5.2.2 */
static void put_anchor64(Smbios *s, uint8_t anchor[24])
{
    memset(anchor, 0, 24);
    memcpy(anchor, "_SM3_", 5);
    anchor[6] = 24;
    anchor[7] = 3;
    anchor[10] = 1;
    for (unsigned i = 0; i < 4; i++) {
        anchor[12 + i] = s->t->len >> 8 * i;
    }
}

bool smbios_build(const SmbiosInfo *b, GError **error)
{
    Smbios s = { .t = g_byte_array_new(), .strings = g_ptr_array_new() };
    uint8_t anchor[31];

    bool own_bios = b->legacy || smbios_fields(0);

    if (!put_blob(&s, 0) && own_bios) {
        put_bios(&s);
    }
    if (!put_blob(&s, 1)) {
        put_system(&s, b);
    }
    if (!put_blob(&s, 2)) {
        put_board(&s, b);
    }
    if (!put_blob(&s, 3)) {
        put_chassis(&s, b->vm);
    }
    bool processors = put_blob(&s, 4);

    for (unsigned i = 0; !processors && i < MIN(b->vm->smp.cpus, 255); i++) {
        put_processor(&s, b->vm, i);
    }
    put_oem_strings(&s);
    for (unsigned type = 5; type < 127; type++) {
        if (type != 17) {
            put_blob(&s, type);
        }
    }
    put_memory(&s, b);
    if (b->legacy) {
        put_anchor(&s, anchor);
    } else {
        put_anchor64(&s, anchor);
    }
    bool ok = fw_cfg_add_file(b->fw_cfg, "etc/smbios/smbios-tables", s.t->data, s.t->len) &&
              fw_cfg_add_file(b->fw_cfg, "etc/smbios/smbios-anchor", anchor, b->legacy ? 31 : 24);

    g_byte_array_free(s.t, TRUE);
    g_ptr_array_free(s.strings, TRUE);
    return ok ? true : fail(error, "no room for SMBIOS tables in fw_cfg");
}
