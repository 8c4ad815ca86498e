// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMBIOS tables (DMTF DSP0134): BIOS, system, chassis, processors, memory; with the entry point of
 * 2.8 or the 64-bit one of 3.0. Firmware copies them and fills in the entry point's address and
 * checksums.
 */
#include "hw/nvram/smbios.h"
#include "exec/cpu.h"

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
    begin(s, 0, 0x000);
    put_string(s, "SeaBIOS");
    put_string(s, "unknown");
    put(s, 0xe800, 2);
    put_string(s, "04/01/2014");
    put(s, 0, 1);
    put(s, 0x08, 8);         /* characteristics are not supported */
    put(s, 0x04 << 8, 2);    /* targeted content distribution */
    put(s, 0, 1);
    put(s, 0, 1);
    put(s, 0xffff, 2);
    end(s);
}

static void put_system(Smbios *s, const SmbiosInfo *b)
{
    Vm *vm = b->vm;

    begin(s, 1, 0x100);
    put_string(s, "QEMU");
    put_string(s, b->product ? b->product : vm->machine_type->desc);
    put_string(s, vm->machine_type->machine_name);
    put_string(s, NULL);
    /* The first three fields of a UUID are little-endian here (7.2.1). */
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

    for (unsigned i = 0; i < 16; i++) {
        put(s, vm->uuid[order[i]], 1);
    }
    put(s, 0x06, 1);         /* woken by the power switch */
    put_string(s, NULL);
    put_string(s, NULL);
    end(s);
}

static void put_chassis(Smbios *s, Vm *vm)
{
    begin(s, 3, 0x300);
    put_string(s, "QEMU");
    put(s, 1, 1);
    put_string(s, vm->machine_type->machine_name);
    put_string(s, NULL);
    put_string(s, NULL);
    put(s, 0x03030303 & 0xffffff, 3);
    put(s, 2, 1);
    put(s, 0, 4);
    put(s, 0, 4);
    end(s);
}

static void put_processor(Smbios *s, Vm *vm, unsigned i)
{
    g_autofree char *socket = g_strdup_printf("CPU %u", i);

    begin(s, 4, 0x400 + i);
    put_string(s, socket);
    put(s, 3, 1);            /* central processor */
    put(s, 1, 1);            /* family: other */
    put_string(s, "QEMU");
    put(s, 0, 8);
    put_string(s, vm->machine_type->machine_name);
    put(s, 0, 1);
    put(s, 0, 2);
    put(s, 2000, 2);
    put(s, 2000, 2);
    put(s, 0x41, 1);         /* populated, enabled */
    put(s, 1, 1);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put_string(s, NULL);
    put_string(s, NULL);
    put_string(s, NULL);
    put(s, MAX(vm->smp.cores, 1), 1);
    put(s, MAX(vm->smp.cores, 1), 1);
    put(s, MAX(vm->smp.threads, 1), 1);
    put(s, 2, 2);
    put(s, 1, 2);
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
    put(s, b->vm->ram_size, 8);
    end(s);
    begin(s, 17, 0x1100);
    put(s, 0x1000, 2);
    put(s, 0xfffe, 2);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put(s, mib < 0x7fff ? mib : 0x7fff, 2);
    put(s, 9, 1);            /* DIMM */
    put(s, 0, 1);
    put_string(s, "DIMM 0");
    put_string(s, NULL);
    put(s, 7, 1);            /* RAM */
    put(s, 2, 2);
    put(s, 0, 2);
    put_string(s, "QEMU");
    put(s, 0, 3);
    put(s, 0, 1);
    put(s, mib, 4);
    put(s, 0, 8);
    end(s);
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

    if (b->legacy) {
        put_bios(&s);
    }
    put_system(&s, b);
    put_chassis(&s, b->vm);
    for (unsigned i = 0; i < MIN(b->vm->smp.cpus, 255); i++) {
        put_processor(&s, b->vm, i);
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
