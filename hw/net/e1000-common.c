// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the controllers of the 8254x and 8257x families share: transmit contexts and checksums,
 * address filters, rings. 8254x Family Software Developer's Manual, 317453, 3.2, 3.3, 13.5.
 */
#include "e1000-common.h"
#include "util/checksum.h"

const StateField e1000_context_state[] = {
    STATE(E1000Context, ipcss),
    STATE(E1000Context, ipcso),
    STATE(E1000Context, tucss),
    STATE(E1000Context, tucso),
    STATE(E1000Context, hdr_len),
    STATE(E1000Context, ipcse),
    STATE(E1000Context, tucse),
    STATE(E1000Context, mss),
    STATE(E1000Context, tcp),
    STATE(E1000Context, ip4),
    STATE_END,
};

E1000Context e1000_context(const uint8_t *d)
{
    return (E1000Context){
        .ipcss = d[0],
        .ipcso = d[1],
        .ipcse = load_le16(d + 2),
        .tucss = d[4],
        .tucso = d[5],
        .tucse = load_le16(d + 6),
        .hdr_len = d[13],
        .mss = load_le16(d + 14),
        .tcp = d[11] & 1,
        .ip4 = d[11] >> 1 & 1,
    };
}

static void put_checksum(uint8_t *frame, size_t len, unsigned start, unsigned at, unsigned end)
{
    size_t stop = end && end < len ? end + 1u : len;

    if (start < stop && at + 2u <= len) {
        store_be16(frame + at,
                   checksum_finish(checksum_add(0, frame + start, stop - start, false)));
    }
}

void e1000_put_checksums(const E1000Context *c, uint8_t popts, uint8_t *frame, size_t len,
                         unsigned shift)
{
    if (popts & POPTS_TXSM) {
        put_checksum(frame, len, c->tucss + shift, c->tucso + shift,
                     c->tucse ? c->tucse + shift : 0);
    }
    if (popts & POPTS_IXSM) {
        put_checksum(frame, len, c->ipcss + shift, c->ipcso + shift,
                     c->ipcse ? c->ipcse + shift : 0);
    }
}

bool e1000_address_wanted(const uint8_t *frame, const uint32_t *ra, unsigned num_ra,
                          const uint32_t *mta, uint32_t rctl)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};

    for (unsigned i = 0; i < num_ra; i += 2) {
        if ((ra[i + 1] & RAH_AV) && load_le32(frame) == ra[i] &&
            load_le16(frame + 4) == (ra[i + 1] & 0xffff)) {
            return true;
        }
    }
    if (frame[0] & 1) {
        unsigned hash = (frame[5] << 8 | frame[4]) >> shifts[rctl >> 12 & 3] & 0xfff;

        return mta[hash >> 5] & 1u << (hash & 31);
    }
    return false;
}

uint32_t e1000_ring_available(uint32_t head, uint32_t tail, uint32_t n)
{
    if (n == 0 || head >= n || tail >= n) {
        return 0;
    }
    return tail >= head ? tail - head : n - head + tail;
}
