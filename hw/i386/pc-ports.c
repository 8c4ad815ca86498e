// SPDX-License-Identifier: GPL-2.0-or-later
/* The serial and parallel ports of PCs, as -serial and -parallel ask for them. */
#include "chardev/parallel.h"
#include "hw/i386/pc.h"
#include "hw/isa/isa.h"

static bool pc_create_serials(PcBoard *b, GError **error)
{
    GPtrArray *serials = b->vm->serials;

    for (unsigned i = 0; serials && i < MIN(serials->len, 4); i++) {
        const char *chr = g_ptr_array_index(serials, i);
        g_autofree char *index = g_strdup_printf("%u", i);

        if (chr &&
            !isa_create(b->isa, "isa-serial", NULL, error, "index", index, "chardev", chr, NULL)) {
            return false;
        }
    }
    return true;
}

static bool pc_create_parallels(PcBoard *b, GError **error)
{
    for (unsigned i = 0; i < PARALLEL_PORTS; i++) {
        const char *chr = parallel_chardev(b->vm, i, error);
        g_autofree char *index = g_strdup_printf("%u", i);

        if (*error || (chr && !isa_create(b->isa, "isa-parallel", NULL, error, "index", index,
                                          "chardev", chr, NULL))) {
            return false;
        }
    }
    return true;
}

bool pc_create_ports(PcBoard *b, GError **error)
{
    return pc_create_serials(b, error) && pc_create_parallels(b, error);
}
