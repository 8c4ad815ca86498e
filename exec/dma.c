// SPDX-License-Identifier: GPL-2.0-or-later
/* DMA of devices, through their own address spaces. Contract: include/exec/dma.h. */
#include "exec/dma.h"

#include <string.h>

/* A list longer than the host can take in one call, or larger than this, is a guest's mistake. */
#define DMA_MAX_IOV 65536

static AddressSpace *space_of(const Device *d)
{
    return d->dma != NULL ? d->dma : address_space_memory();
}

static MemAttrs attrs_of(const Device *d)
{
    return (MemAttrs){.requester_id = d->requester_id};
}

bool dma_read(Device *d, hwaddr addr, void *buf, size_t len)
{
    return address_space_read(space_of(d), addr, attrs_of(d), buf, len) == MEM_OK;
}

bool dma_write(Device *d, hwaddr addr, const void *buf, size_t len)
{
    return address_space_write(space_of(d), addr, attrs_of(d), buf, len) == MEM_OK;
}

bool dma_fill(Device *d, hwaddr addr, uint8_t byte, uint64_t len)
{
    return address_space_fill(space_of(d), addr, attrs_of(d), byte, len) == MEM_OK;
}

uint64_t dma_load(Device *d, hwaddr addr, unsigned size, Endian e, bool *ok)
{
    MemResult result;
    uint64_t v = address_space_load(space_of(d), addr, size, e, attrs_of(d), &result);

    if (ok != NULL) {
        *ok = result == MEM_OK;
    }
    return v;
}

bool dma_store(Device *d, hwaddr addr, uint64_t value, unsigned size, Endian e)
{
    return address_space_store(space_of(d), addr, value, size, e, attrs_of(d)) == MEM_OK;
}

/* ---- scatter lists ---- */

void dma_list_init(DmaList *l, Device *d)
{
    memset(l, 0, sizeof(*l));
    l->dev = d;
    l->sg = g_array_new(FALSE, FALSE, sizeof(DmaSg));
}

void dma_list_add(DmaList *l, hwaddr addr, uint64_t len)
{
    DmaSg sg = {addr, len};

    if (len == 0) {
        return;
    }
    if (l->sg->len > 0) {
        DmaSg *last = &g_array_index(l->sg, DmaSg, l->sg->len - 1);

        if (last->addr + last->len == addr && last->len + len > last->len) {
            last->len += len;
            l->size += len;
            return;
        }
    }
    g_array_append_val(l->sg, sg);
    l->size = l->size + len < len ? UINT64_MAX : l->size + len;
}

static bool map_element(DmaList *l, GArray *iov, hwaddr addr, uint64_t len)
{
    while (len > 0) {
        uint64_t n = len;
        struct iovec v;

        v.iov_base = address_space_map(space_of(l->dev), addr, &n, l->is_write, attrs_of(l->dev));
        if (v.iov_base == NULL) {
            return false;
        }
        v.iov_len = n;
        g_array_append_val(iov, v);
        if (iov->len > DMA_MAX_IOV) {
            return false;
        }
        addr += n;
        len -= n;
    }
    return true;
}

bool dma_list_map(DmaList *l, bool is_write)
{
    GArray *iov = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    bool ok = l->size != UINT64_MAX;

    l->is_write = is_write;
    for (unsigned i = 0; ok && i < l->sg->len; i++) {
        const DmaSg *sg = &g_array_index(l->sg, DmaSg, i);

        ok = map_element(l, iov, sg->addr, sg->len);
    }
    l->niov = iov->len;
    l->iov = (struct iovec *)(void *)g_array_free(iov, FALSE);
    if (!ok) {
        dma_list_unmap(l, 0);
    }
    return ok;
}

void dma_list_unmap(DmaList *l, uint64_t done)
{
    for (unsigned i = 0; i < l->niov; i++) {
        uint64_t n = MIN(done, l->iov[i].iov_len);

        address_space_unmap(space_of(l->dev), l->iov[i].iov_base, l->iov[i].iov_len, l->is_write,
                            n);
        done -= n;
    }
    g_clear_pointer(&l->iov, g_free);
    l->niov = 0;
}

void dma_list_free(DmaList *l)
{
    dma_list_unmap(l, 0);
    if (l->sg != NULL) {
        g_array_unref(l->sg);
        l->sg = NULL;
    }
    l->size = 0;
}

bool dma_iov(DmaList *l, const DmaSg *sg, unsigned n, bool is_write)
{
    for (unsigned i = 0; i < n; i++) {
        dma_list_add(l, sg[i].addr, sg[i].len);
    }
    return dma_list_map(l, is_write);
}
