// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vector lengths of SVE as properties: sve=on|off, sve128 to sve2048, sve-max-vq. Powers of two
 * below the longest are always there; other lengths are by sve-max-vq, or where they are asked for,
 * or where nothing but what is not wanted has been said.
 */
#include "target-arm/models.h"

#include <string.h>
#include "util/cutils.h"

enum { POWERS = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 7 | 1 << 15 };

/* The bit of a property's name; 0: it is not one of a length. */
static uint16_t length_bit(const char *name)
{
    uint64_t bits;

    if (!g_str_has_prefix(name, "sve") || !parse_u64(name + 3, &bits) || bits == 0 || bits % 128 ||
        bits > 2048) {
        return 0;
    }
    return (uint16_t)(1u << (bits / 128 - 1));
}

static unsigned top(uint32_t map)
{
    return 32 - (unsigned)__builtin_clz(map);       /* 1 to 16 */
}

bool arm_sve_has_property(const ArmModel *m, const char *name)
{
    return m->sve_map && (strcmp(name, "sve") == 0 || (m->max && strcmp(name, "sve-max-vq") == 0) ||
                          length_bit(name));
}

bool arm_sve_word(ArmCpu *c, const char *name, const char *value, GError **error)
{
    uint16_t bit = length_bit(name);
    uint64_t n;
    bool on;

    if (strcmp(name, "sve-max-vq") == 0) {
        if (!parse_u64(value, &n) || n < 1 || n > 16) {
            return fail(
                error,
                "can't apply global max-arm-cpu.sve-max-vq=%s: unsupported SVE vector length\n"
                "Valid sve-max-vq in range [1-16]",
                value);
        }
        c->sve_max_vq = (uint32_t)n;
        return true;
    }
    if (!arm_parse_switch(name, value, &on, error)) {
        return false;
    }
    if (!bit) {
        c->sve = on;
        return true;
    }
    c->sve_on = on ? c->sve_on | bit : c->sve_on & ~bit;
    c->sve_off = on ? c->sve_off & ~bit : c->sve_off | bit;
    return true;
}

static bool needed(const ArmCpu *c, uint32_t powers, unsigned max, GError **error)
{
    uint32_t missing = c->sve_off & powers;

    if (!missing) {
        return true;
    }
    unsigned vq = top(missing);

    return fail(error,
                "cannot disable sve%u\nsve%u is required as it is a power-of-two length smaller "
                "than the maximum, sve%u",
                vq * 128, vq * 128, max * 128);
}

bool arm_sve_finish(ArmCpu *c, GError **error)
{
    uint32_t all = c->model->sve_map, max;

    c->sve_map = 0;
    if (!all || !c->sve) {
        c->sve = false;
        if (c->sve_on) {
            return fail(error,
                        "cannot enable sve%u\nSVE must be enabled to enable vector lengths.\nAdd "
                        "sve=on to the CPU property list.",
                        top(c->sve_on) * 128);
        }
        return true;
    }
    if (c->sve_on & ~all) {
        return fail(error,
                    "cannot enable sve%u\nThis CPU does not support the vector length %u-bits.",
                    top(c->sve_on & ~all) * 128, top(c->sve_on & ~all) * 128);
    }
    if (c->sve_off & 1) {
        return fail(error, "cannot disable sve128\nDisabling sve128 results in all vector lengths "
                           "being disabled.\n"
                           "With SVE enabled, at least one vector length must be enabled.");
    }
    if (c->sve_max_vq) {
        max = c->sve_max_vq;
        if (c->sve_off >> (max - 1) & 1) {
            return fail(error,
                        "cannot disable sve%u\nThe maximum vector length must be enabled, "
                        "sve-max-vq=%u (%u bits)",
                        max * 128, max, max * 128);
        }
        if (c->sve_on && top(c->sve_on) > max) {
            return fail(error,
                        "cannot enable sve%u\nsve%u is larger than the maximum vector length, "
                        "sve-max-vq=%u (%u bits)",
                        top(c->sve_on) * 128, top(c->sve_on) * 128, max, max * 128);
        }
        c->sve_map = (uint16_t)(all & ((1u << max) - 1) & ~c->sve_off);
    } else if (c->sve_on) {
        max = top(c->sve_on);
        c->sve_map = (uint16_t)(c->sve_on | (POWERS & ((1u << max) - 1)));
    } else {
        uint32_t limit =
            c->sve_off & POWERS ? (1u << __builtin_ctz(c->sve_off & POWERS)) - 1 : UINT32_MAX;

        c->sve_map = (uint16_t)(all & limit & ~c->sve_off);
        return true;
    }
    return needed(c, POWERS & ((1u << max) - 1), max, error);
}

void arm_sve_list(const ArmCpu *c, void (*put)(const char *name, bool on, void *opaque),
                  void *opaque)
{
    if (!c->model->sve_map) {
        return;
    }
    put("sve", c->sve, opaque);
    for (unsigned vq = 1; vq <= 16; vq++) {
        g_autofree char *name = g_strdup_printf("sve%u", vq * 128);

        put(name, c->sve_map >> (vq - 1) & 1, opaque);
    }
}
