// SPDX-License-Identifier: GPL-2.0-or-later
/* ACPI machine language writer (ACPI 6.3, chapters 6.4 and 20). */
#include "hw/acpi/aml.h"
#include <string.h>

enum {
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_DUAL_NAME = 0x2e,
    OP_MULTI_NAME = 0x2f,
    OP_EXT = 0x5b,
    OP_IF = 0xa0,
    OP_ELSE = 0xa1,
    OP_WHILE = 0xa2,
    EXT_REGION = 0x80,
    EXT_FIELD = 0x81,
    EXT_DEVICE = 0x82
};

void aml_init(Aml *a)
{
    *a = (Aml){.buf = g_byte_array_new()};
}

GByteArray *aml_steal(Aml *a)
{
    g_assert(a->depth == 0);
    return g_steal_pointer(&a->buf);
}

void aml_byte(Aml *a, uint8_t b)
{
    g_byte_array_append(a->buf, &b, 1);
}

void aml_bytes(Aml *a, const void *p, size_t n)
{
    g_byte_array_append(a->buf, p, n);
}

static void aml_le(GByteArray *b, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = v >> 8 * i;

        g_byte_array_append(b, &byte, 1);
    }
}

/* 20.2.4: a package length counts its own bytes. */
static unsigned pkg_length(uint8_t out[4], uint32_t len)
{
    if (len + 1 < 0x40) {
        out[0] = len + 1;
        return 1;
    }
    unsigned extra = len + 2 < 1u << 12 ? 1 : len + 3 < 1u << 20 ? 2 : 3;
    uint32_t v = len + 1 + extra;

    out[0] = extra << 6 | (v & 15);
    for (unsigned i = 1; i <= extra; i++) {
        out[i] = v >> (4 + 8 * (i - 1));
    }
    return 1 + extra;
}

static void aml_open(Aml *a)
{
    g_assert(a->depth < ARRAY_COUNT(a->open));
    a->open[a->depth++] = a->buf->len;
}

void aml_end(Aml *a)
{
    unsigned at = a->open[--a->depth];
    uint8_t len[4];
    unsigned n = pkg_length(len, a->buf->len - at);
    unsigned old = a->buf->len;

    g_byte_array_set_size(a->buf, old + n);
    memmove(a->buf->data + at + n, a->buf->data + at, old - at);
    memcpy(a->buf->data + at, len, n);
}

void aml_path(Aml *a, const char *path)
{
    g_auto(GStrv) parts = NULL;

    while (*path == '\\' || *path == '^') {
        aml_byte(a, *path++);
    }
    parts = g_strsplit(path, ".", -1);
    unsigned n = g_strv_length(parts);

    if (n == 0) {
        aml_byte(a, 0);
    } else if (n == 2) {
        aml_byte(a, OP_DUAL_NAME);
    } else if (n > 2) {
        aml_byte(a, OP_MULTI_NAME);
        aml_byte(a, n);
    }
    for (unsigned i = 0; i < n; i++) {
        char seg[5] = "____";

        memcpy(seg, parts[i], MIN(strlen(parts[i]), 4));
        aml_bytes(a, seg, 4);
    }
}

void aml_int(Aml *a, uint64_t v)
{
    if (v <= 1) {
        aml_byte(a, v);
    } else if (v == UINT64_MAX) {
        aml_byte(a, 0xff);
    } else if (v <= 0xff) {
        aml_byte(a, OP_BYTE);
        aml_le(a->buf, v, 1);
    } else if (v <= 0xffff) {
        aml_byte(a, OP_WORD);
        aml_le(a->buf, v, 2);
    } else if (v <= UINT32_MAX) {
        aml_byte(a, OP_DWORD);
        aml_le(a->buf, v, 4);
    } else {
        aml_byte(a, OP_QWORD);
        aml_le(a->buf, v, 8);
    }
}

void aml_string(Aml *a, const char *s)
{
    aml_byte(a, OP_STRING);
    aml_bytes(a, s, strlen(s) + 1);
}

void aml_eisaid(Aml *a, const char *id)
{
    uint32_t v = (uint32_t)(id[0] - 0x40) << 26 | (uint32_t)(id[1] - 0x40) << 21 |
                 (uint32_t)(id[2] - 0x40) << 16 | (uint32_t)g_ascii_strtoull(id + 3, NULL, 16);

    aml_byte(a, OP_DWORD);
    aml_le(a->buf, GUINT32_SWAP_LE_BE(v), 4);
}

void aml_name(Aml *a, const char *path)
{
    aml_byte(a, OP_NAME);
    aml_path(a, path);
}

void aml_name_int(Aml *a, const char *path, uint64_t v)
{
    aml_name(a, path);
    aml_int(a, v);
}

void aml_name_string(Aml *a, const char *path, const char *s)
{
    aml_name(a, path);
    aml_string(a, s);
}

void aml_name_eisaid(Aml *a, const char *path, const char *id)
{
    aml_name(a, path);
    aml_eisaid(a, id);
}

void aml_name_buffer(Aml *a, const char *path, const GByteArray *bytes)
{
    aml_name(a, path);
    aml_byte(a, OP_BUFFER);
    aml_open(a);
    aml_int(a, bytes->len);
    aml_bytes(a, bytes->data, bytes->len);
    aml_end(a);
}

void aml_name_crs(Aml *a, GByteArray *r)
{
    aml_res_end(r);
    aml_name_buffer(a, "_CRS", r);
    g_byte_array_free(r, TRUE);
}

void aml_scope(Aml *a, const char *path)
{
    aml_byte(a, OP_SCOPE);
    aml_open(a);
    aml_path(a, path);
}

void aml_device(Aml *a, const char *path)
{
    aml_byte(a, OP_EXT);
    aml_byte(a, EXT_DEVICE);
    aml_open(a);
    aml_path(a, path);
}

void aml_method(Aml *a, const char *path, unsigned args, bool serialized)
{
    aml_byte(a, OP_METHOD);
    aml_open(a);
    aml_path(a, path);
    aml_byte(a, args | (serialized ? 8 : 0));
}

void aml_package(Aml *a, uint8_t n)
{
    aml_byte(a, OP_PACKAGE);
    aml_open(a);
    aml_byte(a, n);
}

void aml_if(Aml *a)
{
    aml_byte(a, OP_IF);
    aml_open(a);
}

void aml_else(Aml *a)
{
    aml_byte(a, OP_ELSE);
    aml_open(a);
}

void aml_while(Aml *a)
{
    aml_byte(a, OP_WHILE);
    aml_open(a);
}

void aml_region(Aml *a, const char *path, uint8_t space, uint64_t offset, uint64_t len)
{
    aml_byte(a, OP_EXT);
    aml_byte(a, EXT_REGION);
    aml_path(a, path);
    aml_byte(a, space);
    aml_int(a, offset);
    aml_int(a, len);
}

void aml_region_at(Aml *a, const char *path, uint8_t space, const char *offset, uint64_t len)
{
    aml_byte(a, OP_EXT);
    aml_byte(a, EXT_REGION);
    aml_path(a, path);
    aml_byte(a, space);
    aml_path(a, offset);
    aml_int(a, len);
}

void aml_field(Aml *a, const char *region, uint8_t access)
{
    aml_byte(a, OP_EXT);
    aml_byte(a, EXT_FIELD);
    aml_open(a);
    aml_path(a, region);
    aml_byte(a, access);
}

void aml_field_unit(Aml *a, const char *name, unsigned bits)
{
    uint8_t len[4];
    /* Here the length is a plain number in the same encoding, not counting itself. */
    unsigned n = bits < 0x40 ? 1 : bits < 1u << 12 ? 2 : 3;

    len[0] = n == 1 ? bits : (n - 1) << 6 | (bits & 15);
    len[1] = bits >> 4;
    len[2] = bits >> 12;
    if (name) {
        aml_bytes(a, name, 4);
    } else {
        aml_byte(a, 0);
    }
    aml_bytes(a, len, n);
}

void aml_buffer(Aml *a, const void *bytes, uint8_t n)
{
    aml_byte(a, OP_BUFFER);
    aml_open(a);
    aml_int(a, n);
    aml_bytes(a, bytes, n);
    aml_end(a);
}

void aml_uuid(Aml *a, const char *text)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t uuid[16];

    for (unsigned i = 0; i < 16; text += 2) {
        if (*text == '-') {
            text++;
        }
        uuid[order[i++]] = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
    }
    aml_buffer(a, uuid, sizeof(uuid));
}

void aml_if_equal(Aml *a, uint8_t left, uint64_t v)
{
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, left);
    aml_int(a, v);
}

/* ---- resources ---- */

void aml_res_io(GByteArray *r, uint16_t base, uint8_t len)
{
    aml_le(r, 0x47, 1);
    aml_le(r, 1, 1);
    aml_le(r, base, 2);
    aml_le(r, base, 2);
    aml_le(r, 1, 1);
    aml_le(r, len, 1);
}

void aml_res_irq(GByteArray *r, uint8_t irq)
{
    aml_le(r, 0x22, 1);
    aml_le(r, 1u << irq, 2);
}

void aml_res_dma(GByteArray *r, uint8_t channel)
{
    const uint8_t d[] = {0x2a, (uint8_t)(1u << channel), 0};

    g_byte_array_append(r, d, sizeof(d));
}

void aml_res_interrupt(GByteArray *r, bool level, bool low, bool shared, const uint32_t *irqs,
                       unsigned n)
{
    aml_le(r, 0x89, 1);
    aml_le(r, 2 + 4 * n, 2);
    aml_le(r, 1 | (level ? 0 : 2) | (low ? 4 : 0) | (shared ? 8 : 0), 1);
    aml_le(r, n, 1);
    for (unsigned i = 0; i < n; i++) {
        aml_le(r, irqs[i], 4);
    }
}

void aml_res_memory32(GByteArray *r, bool writable, uint32_t base, uint32_t len)
{
    aml_le(r, 0x86, 1);
    aml_le(r, 9, 2);
    aml_le(r, writable, 1);
    aml_le(r, base, 4);
    aml_le(r, len, 4);
}

static void res_window(GByteArray *r, uint8_t tag, uint8_t space, unsigned width, uint64_t first,
                       uint64_t last)
{
    /* Cacheable, read-write memory; I/O: the entire range; both ends fixed, positive decode. */
    uint8_t specific = space == 0 ? 1 : space == 1 ? 3 : 0;

    aml_le(r, tag, 1);
    aml_le(r, 3 + 5 * width, 2);
    aml_le(r, space, 1);
    aml_le(r, 0x0c, 1);
    aml_le(r, specific, 1);
    aml_le(r, 0, width);
    aml_le(r, first, width);
    aml_le(r, last, width);
    aml_le(r, 0, width);
    aml_le(r, last - first + 1, width);
}

void aml_res_window16(GByteArray *r, uint8_t space, uint16_t first, uint16_t last)
{
    res_window(r, 0x88, space, 2, first, last);
}

void aml_res_window32(GByteArray *r, uint32_t first, uint32_t last)
{
    res_window(r, 0x87, 0, 4, first, last);
}

void aml_res_window64(GByteArray *r, uint64_t first, uint64_t last)
{
    res_window(r, 0x8a, 0, 8, first, last);
}

/* 6.4.3.5.2 with translation */
void aml_res_ports_in_memory(GByteArray *r, uint32_t base, uint32_t size)
{
    aml_le(r, 0x87, 1);
    aml_le(r, 23, 2);
    aml_le(r, 1, 1);
    aml_le(r, 0x0c, 1);
    aml_le(r, 0x13, 1); /* entire range, translated */
    aml_le(r, 0, 4);
    aml_le(r, 0, 4);
    aml_le(r, size - 1, 4);
    aml_le(r, base, 4);
    aml_le(r, size, 4);
}

void aml_res_end(GByteArray *r)
{
    aml_le(r, 0x79, 1);
    aml_le(r, 0, 1);
}
