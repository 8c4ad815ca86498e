// SPDX-License-Identifier: GPL-2.0-or-later
/* Blocks of registers without behaviour; see the header. */
#include "hw/misc/soc-regs.h"

static const SocBlock *soc_block(const Device *d)
{
    return device_type(d)->bus_info;
}

static const SocReg *soc_row(const SocBlock *b, unsigned offset)
{
    for (unsigned i = 0; i < b->num_rows; i++) {
        if (b->rows[i].offset == offset) {
            return &b->rows[i];
        }
    }
    return NULL;
}

static uint64_t soc_word_read(Device *d, const RegAccess *a)
{
    SocRegs *s = (SocRegs *)d;
    const SocBlock *b = soc_block(d);
    unsigned offset = a->index * 4;
    const SocReg *row = soc_row(b, b->set_clear ? offset & ~12u : offset);
    uint32_t v = s->r[b->set_clear ? a->index & ~3u : a->index];

    v = row ? (v | row->ones) & ~row->clears : v;
    return b->read ? b->read(s, offset, v) : v;
}

void soc_word_write(Device *d, const RegAccess *a)
{
    SocRegs *s = (SocRegs *)d;
    const SocBlock *b = soc_block(d);
    unsigned at = b->set_clear ? a->index & ~3u : a->index;
    const SocReg *row = soc_row(b, at * 4);
    uint32_t v = (uint32_t)a->value, old = at == a->index ? (uint32_t)a->old : s->r[at];

    if (b->set_clear && a->index & 3) {
        s->r[a->index] = 0;
        v = (a->index & 3) == 1 ? old | v : (a->index & 3) == 2 ? old & ~v : old ^ v;
    }
    if (b->password) {
        if (v >> 24 != b->password) {
            s->r[at] = old;
            return;
        }
        v &= 0xffffff;
    }
    if (row) {
        v = (v & ~row->fixed) | (old & row->fixed);
    }
    s->r[at] = v;
    if (b->written) {
        b->written(s, at * 4, v, old);
    }
}

void soc_reset(Device *d)
{
    SocRegs *s = (SocRegs *)d;
    const SocBlock *b = soc_block(d);

    for (unsigned i = 0; i < b->num_rows; i++) {
        s->r[b->rows[i].offset / 4] = b->rows[i].reset;
    }
}

#define SOC_WORDS_ROW(n)                                                                \
    {                                                                                   \
        .offset = 0, .field = offsetof(SocRegs, r), .size = 4, .count = n, .name = "r", \
        .wmask = 0xffffffff, .read = soc_word_read, .write = soc_word_write,            \
        .help = "registers of the block"                                                \
    }

const Reg soc_rows_256[1] = {SOC_WORDS_ROW(64)};
const Reg soc_rows_1k[1] = {SOC_WORDS_ROW(256)};
const Reg soc_rows_4k[1] = {SOC_WORDS_ROW(SOC_WORDS)};

const PinRow soc_pins[] = {PIN_OUT_ARRAY(SocRegs, out, "out"), PIN_END};
const StateField soc_state[] = {STATE_ARRAY(SocRegs, r), STATE_END};
