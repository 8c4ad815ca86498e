// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disassembler against the system's objdump, on this program's own code: lengths must agree
 * everywhere and the text nearly everywhere (mnemonics with several spellings are left out).
 * Arguments: lines to look at [another program].
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include "target-i386/decode.h"

/*
 * "mov    %rax,%rbx        # 55 <x>" to "mov %rax,%rbx"; addresses lose their 0x and their names.
 */
static void normalize(const char *in, GString *out)
{
    bool space = false;

    g_string_truncate(out, 0);
    for (const char *p = in; *p && *p != '#' && *p != '<' && *p != '\n'; p++) {
        if (*p == ' ' || *p == '\t') {
            space = out->len > 0;
            continue;
        }
        if (space) {
            g_string_append_c(out, ' ');
            space = false;
        }
        if (p[0] == '0' && p[1] == 'x') {
            p++;
            continue;
        }
        g_string_append_c(out, *p);
    }
}

static bool spelled_variously(const char *text)
{
    static const char *const starts[] = {
        "nop",    "data16", "cs ",      "xchg %ax,%ax", "rep",  "lock", "xlat",   "fs ",
        "ds ",    "bnd",    "notrack",  "(bad)",        "vcmp", "cmp",  "pclmul", "vpclmul",
        "movabs", "sysret", "xacquire", "es ",          "ss ",  "gs ",  "addr32",
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(starts); k++) {
        if (g_str_has_prefix(text, starts[k])) {
            return true;
        }
    }
    return strstr(text, "pseudo") || strstr(text, "riz") || strstr(text, "{") ||
           strstr(text, "%zmm") || strstr(text, "%k") || strstr(text, "mm16");
}

typedef struct Count { unsigned lines, lengths, texts, skipped; } Count;

/* line: "  1234:\t48 89 c3 \tmov    %rax,%rbx" */
static void check_line(const char *line, Count *count)
{
    static const X86DecodeMode mode = {.code64 = true};
    g_auto(GStrv) part = g_strsplit(line, "\t", 3);
    uint8_t bytes[16];
    unsigned n = 0;
    char *end;

    if (g_strv_length(part) < 3) {
        return;
    }
    uint64_t pc = g_ascii_strtoull(g_strstrip(part[0]), &end, 16);
    for (const char *p = part[1]; g_ascii_isxdigit(*p) && n < 15; p += 3) {
        bytes[n++] = (uint8_t)g_ascii_strtoull(p, NULL, 16);
    }
    g_autoptr(GString) theirs = g_string_new(NULL), text = g_string_new(NULL),
                       ours = g_string_new(NULL);
    normalize(part[2], theirs);
    if (*end != ':' || spelled_variously(theirs->str) || bytes[0] == 0x62) {
        count->skipped++;
        return;
    }
    X86Insn insn;
    count->lines++;
    if (x86_decode(&insn, bytes, n, mode) != X86_OK || insn.len != n) {
        printf("# length of '%s' at %s\n", part[1], part[0]);
        count->lengths++;
        return;
    }
    x86_print_insn(&insn, pc, mode, text);
    normalize(text->str, ours);
    while (theirs->len && theirs->str[theirs->len - 1] == ' ') {
        g_string_truncate(theirs, theirs->len - 1);
    }
    if (strcmp(ours->str, theirs->str)) {
        if (count->texts < 30) {
            printf("# '%s', objdump '%s' (%s)\n", ours->str, theirs->str, part[1]);
        }
        count->texts++;
    }
}

int main(int argc, char **argv)
{
    unsigned limit =
        argc > 1 && argv[1][0] != '-' ? (unsigned)g_ascii_strtoull(argv[1], NULL, 0) : 20000;
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL),
                    *objdump = g_find_program_in_path("objdump");
    g_autofree char *out = NULL;
    Count count = {0};

    if (!objdump || !self) {
        printf("1..0 # SKIP no objdump\n");
        return 0;
    }
    char *file = argc > 2 ? argv[2] : self;
    char *command[] = {objdump, (char *)"-dw", (char *)"--insn-width=15", file, NULL};
    if (!g_spawn_sync(NULL, command, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, NULL,
                      NULL)) {
        printf("1..0 # SKIP objdump does not run\n");
        return 0;
    }
    for (char *line = out, *next; *line && count.lines < limit; line = next) {
        next = strchr(line, '\n');
        *next++ = 0;
        check_line(line, &count);
    }
    bool good = count.lengths == 0 && count.texts == 0;
    printf("%s 1 - %u instructions, %u lengths and %u texts differ\n1..1\n", good ? "ok" : "not ok",
           count.lines, count.lengths, count.texts);
    return !good;
}
