// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The passes, in order. The builder has folded, forwarded and merged inside each block already;
 * what is left is the control flow, what crosses blocks, and what nobody reads.
 */
#include "tcg/passes.h"
#include "tcg/codegen.h"
#include "config.h"

#include <stdio.h>
#include "util/log.h"

/* A switch for tests and -d; read only where functions are compiled. */
bool ir_verify_passes = CONFIG_DEBUG;

static void check(const IrFunc *f, const char *pass)
{
    GError *error = NULL;

    if (!ir_verify(f, &error)) {
        GString *text = g_string_new(NULL);
        ir_print(f, text);
        fprintf(stderr, "IR broken after %s: %s\n%s", pass, error->message, text->str);
        g_assert_not_reached();
    }
}

static void log_optimized(const IrFunc *f)
{
    g_autoptr(GString) text = g_string_new("OP after optimization:\n");

    for (uint32_t o = f->entry->first; o; o = f->ops[o].next) {
        if (f->ops[o].opcode == OP_INSN && !log_filter_has(f->ops[o].insn.pc)) {
            return;
        }
        if (f->ops[o].opcode == OP_INSN) {
            break;
        }
    }
    ir_print(f, text);
    g_string_append_c(text, '\n');
    log_text(text->str);
}

void ir_optimize(IrFunc *f)
{
    static const struct { const char *name; bool (*run)(IrFunc *f); } passes[] = {
        {"join", pass_join},            /* halves of 256-bit registers */
        {"thread", pass_thread},        /* branches to branches */
        {"merge", pass_merge},          /* blocks with one way in, behind blocks with one way out */
        /* folding again where the two above or constants allow it */
        {"forward", pass_forward},
        {"same", pass_same},            /* sets to what loops have there already */
        {"dead", pass_dead},            /* values and sets that nobody reads */
    };

    ir_finish(f);
    if (ir_verify_passes) {
        check(f, "building");
    }
    for (unsigned i = 0; i < ARRAY_COUNT(passes); i++) {
        if (passes[i].run(f)) {
            ir_finish(f);
        }
        if (ir_verify_passes) {
            check(f, passes[i].name);
        }
    }
    if (log_enabled(LOG_OP_OPT)) {
        log_optimized(f);
    }
}
