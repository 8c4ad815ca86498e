// SPDX-License-Identifier: GPL-2.0-or-later
/* HMP `info mtree`: the tree of regions, or the flat views. */
#include <inttypes.h>

#include "exec/view.h"

static const char *kind_name(const Region *r)
{
    switch (r->kind) {
    case REGION_RAM: return r->readonly ? "rom" : "ram";
    case REGION_ROM: return "rom";
    case REGION_ROMD: return r->romd ? "romd" : "i/o";
    default: return "i/o";
    }
}

typedef struct Printer {
    GString *out;
    GPtrArray *aliased;    /* targets of aliases, to be printed on their own */
} Printer;

static int compare_places(gconstpointer a, gconstpointer b)
{
    const Region *x = *(Region *const *)a, *y = *(Region *const *)b;

    if (x->addr != y->addr) {
        return x->addr < y->addr ? -1 : 1;
    }
    return x->priority > y->priority ? -1 : x->priority < y->priority;
}

static void print_region(Printer *p, const Region *r, hwaddr base, unsigned indent)
{
    const char *off = r->enabled ? "" : " [disabled]";
    hwaddr last = base + last_offset(r->size);

    if (r->size == 0) {
        return;
    }
    if (r->kind == REGION_ALIAS) {
        g_string_append_printf(p->out,
                               "%*s%016" PRIx64 "-%016" PRIx64
                               " (prio %d, %s): alias %s @%s %016" PRIx64 "-%016" PRIx64 "%s\n",
                               indent, "", base, last, r->priority, kind_name(r->alias), r->name,
                               r->alias->name, r->alias_offset,
                               r->alias_offset + last_offset(r->size), off);
        if (!g_ptr_array_find(p->aliased, r->alias, NULL)) {
            g_ptr_array_add(p->aliased, r->alias);
        }
    } else {
        g_string_append_printf(p->out, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s%s\n",
                               indent, "", base, last, r->priority, kind_name(r), r->name, off);
    }
    if (r->children != NULL) {
        g_autoptr(GPtrArray) sorted = g_ptr_array_copy(r->children, NULL, NULL);

        g_ptr_array_sort(sorted, compare_places);
        for (unsigned i = 0; i < sorted->len; i++) {
            const Region *c = sorted->pdata[i];

            print_region(p, c, base + c->addr, indent + 2);
        }
    }
}

static void print_trees(GString *out)
{
    Printer p = {.out = out, .aliased = g_ptr_array_new()};

    for (AddressSpace *as = address_spaces(); as != NULL; as = as->next) {
        g_string_append_printf(out, "address-space: %s\n", as->name);
        print_region(&p, as->root, 0, 2);
        g_string_append_c(out, '\n');
    }
    for (unsigned i = 0; i < p.aliased->len; i++) {
        const Region *r = p.aliased->pdata[i];

        g_string_append_printf(out, "memory-region: %s\n", r->name);
        print_region(&p, r, 0, 2);
        g_string_append_c(out, '\n');
    }
    g_ptr_array_unref(p.aliased);
}

static void print_view(GString *out, const FlatView *v)
{
    for (unsigned i = 0; i < v->count; i++) {
        const FlatRange *f = &v->ranges[i];

        g_string_append_printf(out, "  %016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s", f->first,
                               f->last, f->region->priority,
                               f->readonly && f->region->kind == REGION_RAM ? "rom"
                                                                            : kind_name(f->region),
                               f->region->name);
        if (f->offset != 0) {
            g_string_append_printf(out, " @%016" PRIx64, f->offset);
        }
        g_string_append_c(out, '\n');
    }
    if (v->count == 0) {
        g_string_append(out, "  No rendered FlatView\n");
    }
}

static void print_views(GString *out)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();

    for (AddressSpace *as = address_spaces(); as != NULL; as = as->next) {
        const Region *root = root_resolve(as->root);

        if (g_ptr_array_find(seen, as->view, NULL)) {
            continue;
        }
        g_string_append_printf(out, "FlatView #%u\n", seen->len);
        g_ptr_array_add(seen, as->view);
        for (AddressSpace *other = as; other != NULL; other = other->next) {
            if (other->view == as->view) {
                g_string_append_printf(out, " AS \"%s\", root: %s\n", other->name,
                                       other->root->name);
            }
        }
        g_string_append_printf(out, " Root memory region: %s\n",
                               root != NULL ? root->name : "(none)");
        print_view(out, as->view);
        g_string_append_c(out, '\n');
    }
}

void memory_print_tree(GString *out, bool flat)
{
    if (flat) {
        print_views(out);
    } else {
        print_trees(out);
    }
}
