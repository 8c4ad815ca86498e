// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * microvm without ACPI: a table of the MultiProcessor Specification 1.4 tells CPUs and interrupt
 * lines.
 */
#include "exec/loader.h"
#include "microvm.h"

#define MP_BASE 0xf0000u
#define LAPIC_BASE 0xfee00000u

static void put(GByteArray *b, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = v >> 8 * i;

        g_byte_array_append(b, &byte, 1);
    }
}

static uint8_t checksum(const uint8_t *p, unsigned len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *p++;
    }
    return -sum;
}

/* 4.3.1 to 4.3.5: processors, the ISA bus, the I/O APIC, its lines, the local ones. */
static unsigned mp_entries(Vm *vm, GByteArray *t)
{
    unsigned cpus = vm->smp.cpus;

    for (unsigned i = 0; i < cpus; i++) {
        put(t, 0, 1);
        put(t, i, 1);
        put(t, 0x14, 1);
        put(t, i == 0 ? 3 : 1, 1);
        put(t, 0x600, 4);
        put(t, 0x201, 4);
        put(t, 0, 8);
    }
    put(t, 1, 1);
    put(t, 0, 1);
    g_byte_array_append(t, (const uint8_t *)"ISA   ", 6);
    put(t, 2, 1);
    put(t, 0, 1);
    put(t, 0x11, 1);
    put(t, 1, 1);
    put(t, MICROVM_IOAPIC, 4);
    for (unsigned i = 0; i < 16; i++) {
        bool virtio = i >= MICROVM_OLD_LINE && i < MICROVM_OLD_LINE + MICROVM_FEW && i != 8;

        put(t, 3, 1);
        put(t, 0, 1);
        put(t, virtio ? 0x0d : 0, 2); /* active high, level */
        put(t, 0, 1);
        put(t, i, 1);
        put(t, 0, 1);
        put(t, i == 0 ? 2 : i, 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        put(t, 4, 1);
        put(t, i == 0 ? 3 : 1, 1); /* ExtINT at LINT0, NMI at LINT1 */
        put(t, 0, 2);
        put(t, 0, 2);
        put(t, i == 0 ? 0 : 0xff, 1);
        put(t, i, 1);
    }
    return cpus + 1 + 1 + 16 + 2;
}

void microvm_build_mp(Vm *vm)
{
    g_autoptr(GByteArray) t = g_byte_array_new();
    uint8_t pointer[16] = "_MP_";

    for (unsigned i = 0; i < 4; i++) {
        pointer[4 + i] = (MP_BASE + 16) >> 8 * i;
    }
    pointer[8] = 1;
    pointer[9] = 4;
    pointer[10] = checksum(pointer, 16);
    g_byte_array_append(t, (const uint8_t *)"PCMP", 4);
    put(t, 0, 2);
    put(t, 4, 1);
    put(t, 0, 1);
    g_byte_array_append(t, (const uint8_t *)"EMU     MICROVM     ", 20);
    put(t, 0, 4);
    put(t, 0, 2);
    put(t, 0, 2);
    put(t, LAPIC_BASE, 4);
    put(t, 0, 4);

    unsigned n = mp_entries(vm, t);

    t->data[4] = t->len;
    t->data[5] = t->len >> 8;
    t->data[34] = n;
    t->data[35] = n >> 8;
    t->data[7] = checksum(t->data, t->len);
    rom_add_blob("mp-pointer", pointer, sizeof(pointer), MP_BASE, NULL);
    rom_add_blob("mp-table", t->data, t->len, MP_BASE + sizeof(pointer), NULL);
}
