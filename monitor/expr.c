// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expressions of the human monitor, 64 bits wide: + - | ^ & then * / % then - + ~ ( ), numbers,
 * 'c' characters and $registers, as its users know them. The depth of nesting is bounded.
 */
#include <errno.h>
#include <string.h>

#include "exec/cpu.h"
#include "monitor/internal.h"
#include "monitor/memory.h"
#include "util/error.h"

enum { MAX_NESTING = 64 };

typedef struct Expr {
    const char *p;
    Vm *vm;
    int cpu_index;
    unsigned depth;
    GError **error;
} Expr;

static bool sum(Expr *e, int64_t *v);

static void space(Expr *e)
{
    while (g_ascii_isspace(*e->p)) {
        e->p++;
    }
}

static bool reg(Expr *e, int64_t *v)
{
    const char *from = ++e->p;
    Cpu *cpu = monitor_cpu(e->vm, e->cpu_index);
    uint64_t n;

    while (g_ascii_isalnum(*e->p) || *e->p == '_' || *e->p == '.') {
        e->p++;
    }
    g_autofree char *name = g_strndup(from, (gsize)(e->p - from));

    if (!cpu) {
        return fail(e->error, "no CPU available");
    }
    if (!cpu->arch->register_value || !cpu->arch->register_value(cpu, name, &n)) {
        return fail(e->error, "unknown register");
    }
    *v = (int64_t)n;
    return true;
}

static bool unary(Expr *e, int64_t *v)
{
    char c;

    space(e);
    c = *e->p;
    if (++e->depth > MAX_NESTING) {
        return fail(e->error, "expression is nested too deeply");
    }
    switch (c) {
    case '+':
    case '-':
    case '~':
        e->p++;
        if (!unary(e, v)) {
            return false;
        }
        *v = c == '-' ? (int64_t)(0 - (uint64_t)*v) : c == '~' ? ~*v : *v;
        break;
    case '(':
        e->p++;
        if (!sum(e, v)) {
            return false;
        }
        space(e);
        if (*e->p != ')') {
            return fail(e->error, "')' expected");
        }
        e->p++;
        break;
    case '\'':
        if (!e->p[1] || e->p[2] != '\'') {
            return fail(e->error, "missing terminating ' character");
        }
        *v = (uint8_t)e->p[1];
        e->p += 3;
        break;
    case '$':
        if (!reg(e, v)) {
            return false;
        }
        break;
    case '\0':
        return fail(e->error, "unexpected end of expression");
    default: {
        char *end;

        errno = 0;
        *v = (int64_t)g_ascii_strtoull(e->p, &end, 0);
        if (errno) {
            return fail(e->error, "number too large");
        }
        if (end == e->p) {
            return fail(e->error, "invalid char '%c' in expression", c);
        }
        e->p = end;
        break;
    }
    }
    e->depth--;
    space(e);
    return true;
}

static bool product(Expr *e, int64_t *v)
{
    if (!unary(e, v)) {
        return false;
    }
    for (;;) {
        char op = *e->p;
        int64_t w;

        if (op != '*' && op != '/' && op != '%') {
            return true;
        }
        e->p++;
        if (!unary(e, &w)) {
            return false;
        }
        if (op == '*') {
            *v = (int64_t)((uint64_t)*v * (uint64_t)w);
        } else if (w == 0) {
            return fail(e->error, "division by zero");
        } else if (w == -1) {
            *v = op == '/' ? (int64_t)(0 - (uint64_t)*v) : 0;
        } else {
            *v = op == '/' ? *v / w : *v % w;
        }
    }
}

static bool logic(Expr *e, int64_t *v)
{
    if (!product(e, v)) {
        return false;
    }
    for (;;) {
        char op = *e->p;
        int64_t w;

        if (op != '&' && op != '|' && op != '^') {
            return true;
        }
        e->p++;
        if (!product(e, &w)) {
            return false;
        }
        *v = op == '&' ? *v & w : op == '|' ? *v | w : *v ^ w;
    }
}

static bool sum(Expr *e, int64_t *v)
{
    if (!logic(e, v)) {
        return false;
    }
    for (;;) {
        char op = *e->p;
        int64_t w;

        if (op != '+' && op != '-') {
            return true;
        }
        e->p++;
        if (!logic(e, &w)) {
            return false;
        }
        *v = (int64_t)(op == '+' ? (uint64_t)*v + (uint64_t)w : (uint64_t)*v - (uint64_t)w);
    }
}

bool expr_eval(Vm *vm, int cpu_index, const char **text, int64_t *value, GError **error)
{
    Expr e = { .p = *text, .vm = vm, .cpu_index = cpu_index, .error = error };

    if (!sum(&e, value)) {
        return false;
    }
    *text = e.p;
    return true;
}
