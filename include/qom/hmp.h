// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows that a folder adds to the human monitor, without knowing of it:
 *
 *     static void pci_info(HmpCall *call, GError **error) { g_string_append(call->out, ...); }
 *     HMP_INFO(pci, pci_info, "", "show PCI info");
 */
#ifndef QOM_HMP_H
#define QOM_HMP_H

#include <glib.h>
#include "util/types.h"

struct Vm;
struct json_object;

typedef struct HmpCall {
    struct Vm *vm;
    int cpu_index;              /* the monitor's default CPU; -1 when the machine has none */
    struct json_object *args;   /* by the names of the row's argument list; flags are booleans */
    GString *out;               /* text with plain newlines */
} HmpCall;

typedef void HmpFn(HmpCall *call, GError **error);

/*
 * args: names and kinds by commas, "name:s,count:i?,-a"; s word (F of a file, B of a block device),
 * S rest of the line, i number or expression, o size, b on/off, ? optional, -x a flag.
 */
typedef struct HmpCommand {
    const char *name;           /* "info pci" is spelled "pci" in info rows */
    const char *alias;          /* NULL: none */
    const char *args;
    const char *params;         /* for help; NULL: made of args */
    const char *help;
    HmpFn *fn;
    bool info;
} HmpCommand;

#define HMP_ROW(id, ...) SECTION_ENTRY(hmp_commands, HmpCommand, hmp_##id##_row, __VA_ARGS__)
#define HMP_INFO(id, fn_, args_, help_)                                                            \
    HMP_ROW(info_##id, { .name = #id, .args = args_, .help = help_, .fn = fn_, .info = true })
#define HMP_COMMAND(id, fn_, args_, help_)                                                         \
    HMP_ROW(id, { .name = #id, .args = args_, .help = help_, .fn = fn_ })

/* Arguments of a call. */
const char *hmp_str(HmpCall *call, const char *name);           /* NULL: not given */
int64_t hmp_int(HmpCall *call, const char *name, int64_t def);
bool hmp_flag(HmpCall *call, const char *name);

#endif
