// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes ACPI machine language (ACPI 6.3, chapter 20): a byte buffer to which terms are
 * appended; what has a package length is opened and closed.
 */
#ifndef HW_ACPI_AML_H
#define HW_ACPI_AML_H

#include <glib.h>
#include "util/types.h"

typedef struct Aml {
    GByteArray *buf;
    unsigned open[16]; /* where the package lengths of open terms go */
    unsigned depth;
} Aml;

void aml_init(Aml *a);
/* Ends with the bytes, owned by the caller. */
GByteArray *aml_steal(Aml *a);

void aml_byte(Aml *a, uint8_t b);
void aml_bytes(Aml *a, const void *p, size_t n);
/* "\\_SB.PCI0.LNKA", "^X", "_HID". */
void aml_path(Aml *a, const char *path);
/* The shortest constant. */
void aml_int(Aml *a, uint64_t v);
void aml_string(Aml *a, const char *s);
/* "PNP0A03" as a compressed id. */
void aml_eisaid(Aml *a, const char *id);

/* Name(path, <term that follows>) and the common values. */
void aml_name(Aml *a, const char *path);
void aml_name_int(Aml *a, const char *path, uint64_t v);
void aml_name_string(Aml *a, const char *path, const char *s);
void aml_name_eisaid(Aml *a, const char *path, const char *id);
/* Name(path, Buffer() { bytes }) */
void aml_name_buffer(Aml *a, const char *path, const GByteArray *bytes);
/* Name(_CRS, ...) of resources, which it ends and frees. */
void aml_name_crs(Aml *a, GByteArray *r);

/* Opened here, closed by aml_end. */
void aml_scope(Aml *a, const char *path);
void aml_device(Aml *a, const char *path);
void aml_method(Aml *a, const char *path, unsigned args, bool serialized);
void aml_package(Aml *a, uint8_t n);
void aml_if(Aml *a); /* the predicate term follows */
void aml_else(Aml *a);
void aml_while(Aml *a); /* likewise */
void aml_end(Aml *a);

enum {
    AML_SYSTEM_MEMORY = 0,
    AML_SYSTEM_IO = 1,
    AML_PCI_CONFIG = 2
};
void aml_region(Aml *a, const char *path, uint8_t space, uint64_t offset, uint64_t len);
/* The same at what a name says. */
void aml_region_at(Aml *a, const char *path, uint8_t space, const char *offset, uint64_t len);
/* Field(region, byte access, preserve); entries by aml_field_unit until aml_end. */
void aml_field(Aml *a, const char *region, uint8_t access);
/* NULL name: reserved bits. */
void aml_field_unit(Aml *a, const char *name, unsigned bits);

/* Opcodes whose operands follow as terms. */
enum {
    AML_STORE = 0x70,
    AML_AND = 0x7b,
    AML_OR = 0x7d,
    AML_ADD = 0x72,
    AML_SHIFT_LEFT = 0x79,
    AML_LNOT = 0x92,
    AML_LEQUAL = 0x93,
    AML_LGREATER = 0x94,
    AML_LLESS = 0x95,
    AML_RETURN = 0xa4,
    AML_LOCAL0 = 0x60,
    AML_LOCAL1 = 0x61,
    AML_ARG0 = 0x68,
    AML_NULL = 0x00,
    AML_CREATE_DWORD = 0x8a,
    AML_NOTIFY = 0x86,
    AML_INDEX = 0x88,
    AML_DEREF_OF = 0x83,
    AML_CONCATENATE = 0x73,
    AML_INCREMENT = 0x75,
    AML_DECREMENT = 0x76,
    AML_SIZE_OF = 0x87,
    AML_OBJECT_TYPE = 0x8e,
    AML_MID = 0x9e };
/* Buffer() { bytes } as a term. */
void aml_buffer(Aml *a, const void *bytes, uint8_t n);
/* ToUUID("..."): the text's numbers of 4, 2 and 2 bytes are little-endian. */
void aml_uuid(Aml *a, const char *text);
/* If (LEqual(left, v)): `left` is an opcode such as AML_ARG0 + 2. */
void aml_if_equal(Aml *a, uint8_t left, uint64_t v);

/* Resource descriptors (6.4), appended to a template; aml_res_end closes it with the end tag. */
void aml_res_io(GByteArray *r, uint16_t base, uint8_t len);
void aml_res_irq(GByteArray *r, uint8_t irq);
/* An 8-bit channel of the ISA DMA controllers. */
void aml_res_dma(GByteArray *r, uint8_t channel);
void aml_res_interrupt(GByteArray *r, bool level, bool low, bool shared, const uint32_t *irqs,
                       unsigned n);
void aml_res_memory32(GByteArray *r, bool writable, uint32_t base, uint32_t len);
/* Producer windows of a bridge: space 0 memory, 1 I/O, 2 bus numbers. */
void aml_res_window16(GByteArray *r, uint8_t space, uint16_t first, uint16_t last);
void aml_res_window32(GByteArray *r, uint32_t first, uint32_t last);
void aml_res_window64(GByteArray *r, uint64_t first, uint64_t last);
/* Ports 0 to size - 1 of a bridge lie in memory. */
void aml_res_ports_in_memory(GByteArray *r, uint32_t base, uint32_t size);
void aml_res_end(GByteArray *r);

#endif
