// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flat views: a tree of regions rendered into a sorted array of leaves, and the lookup in it.
 * Children are drawn from the highest priority down, each into the gaps that are left; a
 * region's own content goes below its children.
 */
#include "exec/view.h"

#include "util/rcu.h"

#define MAX_NESTING 64    /* deeper is a loop of ours */

typedef struct Render {
    GArray *ranges;    /* FlatRange, sorted, disjoint */
} Render;

/* Index of the first range that ends at or after addr. */
static unsigned first_at_or_after(const GArray *ranges, hwaddr addr)
{
    unsigned lo = 0, hi = ranges->len;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (g_array_index(ranges, FlatRange, mid).last < addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* Draws [first, last] of leaf r, whose byte 0 is at `base`, into the gaps. */
static void fill_gaps(Render *w, Region *r, WideAddr base, hwaddr first, hwaddr last, bool readonly)
{
    unsigned i = first_at_or_after(w->ranges, first);

    for (hwaddr at = first;;) {
        const FlatRange *next =
            i < w->ranges->len ? &g_array_index(w->ranges, FlatRange, i) : NULL;
        hwaddr next_last = next != NULL ? next->last : 0;
        bool covered = next != NULL && next->first <= at;

        if (!covered) {
            FlatRange f = {.first = at, .region = r, .offset = (hwaddr)((WideAddr)at - base),
                           .readonly = readonly, .romd = r->romd};

            f.last = next != NULL && next->first <= last ? next->first - 1 : last;
            g_array_insert_val(w->ranges, i, f);
            next_last = f.last;
        }
        if (next_last >= last) {
            return;
        }
        at = next_last + 1;
        i++;
    }
}

/* base: where r's byte 0 lies; [lo, hi]: what of the space it may show in. */
static void render(Render *w, Region *r, WideAddr base, WideAddr lo, WideAddr hi, bool readonly,
                   unsigned depth)
{
    WideAddr end;

    if (!r->enabled || r->size == 0) {
        return;
    }
    g_assert(depth < MAX_NESTING);
    end = base + last_offset(r->size);
    lo = MAX(lo, base);
    hi = MIN(hi, end);
    if (lo > hi) {
        return;
    }
    readonly |= r->readonly || r->kind == REGION_ROM;
    for (unsigned i = 0; r->children != NULL && i < r->children->len; i++) {
        Region *c = r->children->pdata[i];

        render(w, c, base + c->addr, lo, hi, readonly, depth + 1);
    }
    switch (r->kind) {
    case REGION_ALIAS:
        render(w, r->alias, base - r->alias_offset, lo, hi, readonly, depth + 1);
        break;
    case REGION_CONTAINER:
        break;
    default:
        r->was_mapped = true;
        fill_gaps(w, r, base, (hwaddr)lo, (hwaddr)hi, readonly);
        break;
    }
}

static bool joins(const FlatRange *a, const FlatRange *b)
{
    return a->region == b->region && a->last + 1 == b->first && a->readonly == b->readonly &&
           a->romd == b->romd && a->offset + (b->first - a->first) == b->offset;
}

FlatView *view_render(Region *root)
{
    Render w = {.ranges = g_array_new(FALSE, FALSE, sizeof(FlatRange))};
    FlatView *v;
    unsigned n = 0;

    if (root != NULL) {
        render(&w, root, 0, 0, UINT64_MAX, false, 0);
    }
    v = g_malloc0(sizeof(*v) + w.ranges->len * sizeof(FlatRange));
    for (unsigned i = 0; i < w.ranges->len; i++) {
        const FlatRange *f = &g_array_index(w.ranges, FlatRange, i);

        if (n > 0 && joins(&v->ranges[n - 1], f)) {
            v->ranges[n - 1].last = f->last;
        } else {
            v->ranges[n++] = *f;
        }
    }
    v->count = n;
    g_array_unref(w.ranges);
    return v;
}

bool view_equal(const FlatView *a, const FlatView *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (unsigned i = 0; i < a->count; i++) {
        const FlatRange *x = &a->ranges[i], *y = &b->ranges[i];

        if (x->first != y->first || x->last != y->last || x->region != y->region ||
            x->offset != y->offset || x->readonly != y->readonly || x->romd != y->romd) {
            return false;
        }
    }
    return true;
}

void view_unref(FlatView *v)
{
    if (v != NULL && --v->refs == 0) {
        rcu_call(g_free, v);
    }
}

const FlatRange *view_find(FlatView *v, hwaddr addr, uint64_t *gap)
{
    unsigned lo = 0, hi = v->count;
    unsigned hint = atomic_load_explicit(&v->hint, memory_order_relaxed);

    if (hint < hi && addr >= v->ranges[hint].first && addr <= v->ranges[hint].last) {
        return &v->ranges[hint];
    }
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (v->ranges[mid].last < addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo < v->count && v->ranges[lo].first <= addr) {
        atomic_store_explicit(&v->hint, lo, memory_order_relaxed);
        return &v->ranges[lo];
    }
    if (lo < v->count) {
        *gap = v->ranges[lo].first - addr;
    } else {
        *gap = addr == 0 ? UINT64_MAX : -addr;
    }
    return NULL;
}

Region *root_resolve(Region *root)
{
    for (unsigned depth = 0; root != NULL && depth < MAX_NESTING; depth++) {
        Region *only = NULL;

        if (!root->enabled) {
            return NULL;
        }
        if (root->readonly) {
            return root;
        }
        if (root->kind == REGION_ALIAS && root->children == NULL && root->alias_offset == 0 &&
            root->size >= root->alias->size) {
            root = root->alias;
            continue;
        }
        if (root->kind != REGION_CONTAINER) {
            return root;
        }
        for (unsigned i = 0; root->children != NULL && i < root->children->len; i++) {
            Region *c = root->children->pdata[i];

            if (c->enabled && c->size != 0) {
                if (only != NULL) {
                    return root;
                }
                only = c;
            }
        }
        if (only != NULL && (only->addr != 0 || only->size > root->size)) {
            return root;
        }
        root = only;
    }
    return root;
}
