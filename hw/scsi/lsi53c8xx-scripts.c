// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SCRIPTS processor of 53C8xx chips (LSI53C895A Technical Manual, chapter 5). It runs until it
 * stops, waits for the bus, or has done a slice of work: then a timer goes on with it, so that a
 * guest's endless loop takes a bounded share of our time.
 */
#include <string.h>

#include "lsi53c8xx.h"
#include "util/bswap.h"
#include "util/log.h"
#include "util/timer.h"

/*
 * Work of a slice: an instruction is 1, and so is each KiB moved. The pause doubles up to 6 times.
 */
#define SLICE_WORK 4000
#define SLICE_PAUSE_NS 100000
#define CHUNK 4096u

/* What an instruction leaves behind. */
typedef enum Next {
    NEXT_RUN,
    NEXT_WAIT, /* the same one again when the bus has changed */
} Next;

/* ---- memory, as the chip sees it: its own RAM and registers are not reached by way of PCI ---- */

static bool own_bar(const Lsi *s, unsigned bar, uint64_t addr, uint32_t len, uint32_t size,
                    uint32_t *at)
{
    const struct PciBar *b = &s->pci.bar[bar];

    if (!b->mapped || addr < b->addr || addr - b->addr >= size || size - (addr - b->addr) < len) {
        return false;
    }
    *at = (uint32_t)(addr - b->addr);
    return true;
}

static bool mem_read(Lsi *s, uint64_t addr, uint8_t *buf, uint32_t len)
{
    uint32_t at;

    if (own_bar(s, 2, addr, len, LSI_RAM_SIZE, &at)) {
        memcpy(buf, s->ram + at, len);
        return true;
    }
    if (own_bar(s, 1, addr, len, 0x100, &at)) {
        for (uint32_t i = 0; i < len; i++) {
            buf[i] = bank_read(&s->pci.dev, "mmio", at + i, 1);
        }
        return true;
    }
    return dma_read(&s->pci.dev, addr, buf, len);
}

static bool mem_write(Lsi *s, uint64_t addr, const uint8_t *buf, uint32_t len)
{
    uint32_t at;

    if (own_bar(s, 2, addr, len, LSI_RAM_SIZE, &at)) {
        memcpy(s->ram + at, buf, len);
        return true;
    }
    if (own_bar(s, 1, addr, len, 0x100, &at)) {
        for (uint32_t i = 0; i < len; i++) {
            bank_write(&s->pci.dev, "mmio", at + i, buf[i], 1);
        }
        return true;
    }
    return dma_write(&s->pci.dev, addr, buf, len);
}

static bool fetch(Lsi *s, uint32_t addr, uint32_t *words, unsigned n)
{
    uint8_t b[12];

    if (!mem_read(s, (uint64_t)s->selector[SEL_SFS] << 32 | addr, b, 4 * n)) {
        lsi_dma_interrupt(s, DSTAT_BF);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = load_le32(b + 4 * i);
    }
    return true;
}

static uint32_t sext24(uint32_t v)
{
    return (v & 0xffffff) | (v & 0x800000 ? 0xff000000 : 0);
}

static uint64_t table_addr(const Lsi *s, uint32_t word)
{
    return (uint64_t)s->selector[SEL_DRS] << 32 | (uint32_t)(s->dsa + sext24(word));
}

static void illegal(Lsi *s)
{
    guest_error("lsi53c8xx: illegal instruction 0x%08x at 0x%08x", s->dbc, s->dsp - 8);
    lsi_dma_interrupt(s, DSTAT_IID);
}

/* ---- the wire ---- */

/* Ends the handshake of a message byte, which the chip holds until it is told. */
static void release_ack(Lsi *s)
{
    if (s->ack_due) {
        s->ack_due = false;
        scsi_phase_ack(&s->wire);
        s->gone |= !scsi_phase_connected(&s->wire);
        lsi_follow_wire(s);
    }
}

static void connected(Lsi *s)
{
    s->scntl2 |= SCNTL2_SDU;
    s->gone = s->ack_due = s->nobody = false;
    lsi_follow_wire(s);
}

/* ---- block moves ---- */

static uint64_t selected_high(const Lsi *s, unsigned n)
{
    if (n < LSI_SCRX_WORDS) {
        return (uint64_t)s->scrx[n] << 32;
    }
    return n < LSI_SCRX_WORDS + SEL_COUNT ? (uint64_t)s->selector[n - LSI_SCRX_WORDS] << 32 : 0;
}

static Next mismatch(Lsi *s)
{
    LsiMove *m = &s->move;
    bool data = m->phase <= PHASE_DATA_IN;

    m->active = false;
    s->dbc = (s->dbc & 0xff000000) | m->left;
    s->dnad = (uint32_t)m->addr;
    s->rbc = (uint32_t)m->top << 24 | m->left;
    s->ua = (uint32_t)m->addr;
    s->ia = m->insn;
    s->esa = m->entry;
    s->sbc = m->total - m->left;
    if (s->ccntl0 & CCNTL0_ENPMJ && (data || s->ccntl0 & CCNTL0_ENNDJ)) {
        s->dsp = s->ccntl0 & CCNTL0_PMJCTL && m->phase & 1 ? s->pmjad2 : s->pmjad1;
        return NEXT_RUN;
    }
    lsi_scsi_interrupt(s, SIST_MA);
    return NEXT_RUN;
}

/*
 * Bytes from or to the target, at most n. What memory holds may be a device that stops us:
 * m->active tells.
 */
static bool move_bytes(Lsi *s, uint32_t n, uint32_t *moved)
{
    LsiMove *m = &s->move;
    uint8_t buf[CHUNK];

    if (m->phase <= PHASE_DATA_IN) {
        n = MIN(n, scsi_phase_left(&s->wire));
    }
    if (m->phase & 1) {
        n = scsi_phase_in(&s->wire, buf, n);
        s->ack_due = m->phase == PHASE_MSG_IN;
        if (n) {
            s->sfbr = m->left == m->total ? buf[0] : s->sfbr;
            s->sidl = buf[n - 1];
        }
        *moved = n;
        return mem_write(s, m->addr, buf, n);
    }
    if (!mem_read(s, m->addr, buf, n)) {
        return false;
    }
    if (!m->active || s->wire.phase != m->phase) {
        *moved = 0;
        return true;
    }
    if (m->phase == PHASE_MSG_OUT && n == m->left) {
        scsi_phase_set_atn(&s->wire, false);
    }
    *moved = scsi_phase_out(&s->wire, buf, n);
    return true;
}

static Next move_go_on(Lsi *s, unsigned *work)
{
    LsiMove *m = &s->move;

    while (m->left) {
        uint32_t n;

        release_ack(s);
        if (m->phase == PHASE_MSG_OUT) {
            scsi_phase_late_atn(&s->wire);
        }
        if (s->wire.phase == PHASE_WAIT || s->wire.phase == PHASE_FREE) {
            return NEXT_WAIT;
        }
        if (s->wire.phase != m->phase) {
            lsi_follow_wire(s);
            return mismatch(s);
        }
        if (!move_bytes(s, MIN(m->left, CHUNK), &n) || !m->active) {
            if (m->active) {
                m->active = false;
                lsi_dma_interrupt(s, DSTAT_BF);
            }
            return NEXT_RUN;
        }
        m->left -= n;
        m->addr += n;
        s->csbc += n;
        *work += n / 1024;
        lsi_follow_wire(s);
        if (n == 0) {
            return NEXT_WAIT;
        }
    }
    s->gone |= !scsi_phase_connected(&s->wire);
    m->active = false;
    s->dbc &= 0xff000000;
    s->dnad = (uint32_t)m->addr;
    return NEXT_RUN;
}

static Next block_move(Lsi *s, unsigned *work)
{
    uint32_t insn = s->dbc, count = insn & 0xffffff, words[2];
    uint64_t addr = (uint64_t)s->selector[SEL_SBMS] << 32 | s->dsps;
    LsiMove m = {.active = true,
                 .phase = insn >> 24 & 7,
                 .insn = s->dsp - 8,
                 .entry = s->dsps,
                 .top = insn >> 24};

    if (s->target_mode) {
        illegal(s);
        return NEXT_RUN;
    }
    if (insn & 0x10000000) {
        uint8_t b[8];
        uint64_t at = table_addr(s, s->dsps);

        if (!mem_read(s, at, b, 8)) {
            lsi_dma_interrupt(s, DSTAT_BF);
            return NEXT_RUN;
        }
        words[0] = load_le32(b);
        words[1] = load_le32(b + 4);
        count = words[0] & 0xffffff;
        m.top = words[0] >> 24;
        m.entry = (uint32_t)at;
        addr = words[1];
        if (s->ccntl1 & CCNTL1_EXTIBMV) {
            addr |=
                s->ccntl1 & CCNTL1_XTIMOD ? selected_high(s, m.top & 0x1f) : (uint64_t)m.top << 32;
        } else {
            addr |= (uint64_t)s->selector[SEL_SBMS] << 32;
        }
    } else if (insn & 0x20000000) {
        uint8_t b[4];

        if (!mem_read(s, addr, b, 4)) {
            lsi_dma_interrupt(s, DSTAT_BF);
            return NEXT_RUN;
        }
        addr = (uint64_t)s->selector[SEL_SBMS] << 32 | load_le32(b);
    } else if (s->ccntl1 & CCNTL1_EXDBMV) {
        if (!fetch(s, s->dsp, words, 1)) {
            return NEXT_RUN;
        }
        s->dsp += 4;
        m.insn = s->dsp - 12;
        addr = (uint64_t)words[0] << 32 | s->dsps;
    }
    if (count == 0) {
        return NEXT_RUN; /* SeaBIOS does that for commands without data */
    }
    m.addr = addr;
    m.left = m.total = count;
    s->move = m;
    s->dbc = (insn & 0xff000000) | count;
    return move_go_on(s, work);
}

/* ---- input and output ---- */

static Next select_target(Lsi *s)
{
    uint32_t insn = s->dbc;
    uint32_t alternate = insn & 0x04000000 ? s->dsp + sext24(s->dsps) : s->dsps;
    uint8_t id = insn >> 16 & 15;

    if (insn & 0x02000000) {
        uint8_t b[4];

        if (!mem_read(s, table_addr(s, insn), b, 4)) {
            lsi_dma_interrupt(s, DSTAT_BF);
            return NEXT_RUN;
        }
        s->sxfer = b[1];
        id = b[2] & 15;
        s->scntl3 = b[3];
    }
    /* SeaBIOS selects without having ended the message before. */
    release_ack(s);
    s->gone = false;
    if (scsi_phase_connected(&s->wire)) {
        s->dsp = alternate;
        return NEXT_RUN;
    }
    s->sdid = id;
    if (scsi_phase_select(&s->wire, id, insn & 0x01000000)) {
        s->sstat0 |= 4; /* arbitration won */
        connected(s);
    } else {
        s->nobody = true;
    }
    return NEXT_RUN;
}

static Next wait_reselect(Lsi *s)
{
    uint32_t alternate = s->dbc & 0x04000000 ? s->dsp + sext24(s->dsps) : s->dsps;

    s->reselect_wait = false;
    if (scsi_phase_connected(&s->wire)) {
        return NEXT_RUN;
    }
    if (s->istat0 & ISTAT_SIGP) {
        s->dsp = alternate;
    } else if (scsi_phase_reselect(&s->wire)) {
        s->ssid = 0x80 | s->wire.target;
        connected(s);
    } else {
        s->reselect_wait = true;
        return NEXT_WAIT;
    }
    return NEXT_RUN;
}

static void flags_write(Lsi *s, bool value)
{
    uint32_t insn = s->dbc;

    if (insn & 0x400) {
        s->carry = value;
    }
    if (insn & 0x200) {
        s->target_mode = value;
    }
    if (insn & 8) {
        scsi_phase_set_atn(&s->wire, value);
    }
    if (insn & 0x40 && !value) {
        release_ack(s);
    }
    lsi_follow_wire(s);
}

static uint8_t alu(Lsi *s, unsigned op, uint8_t v, uint8_t data)
{
    unsigned r;

    switch (op) {
    case 0:
        return data;
    case 1:
        r = v << 1 | s->carry;
        s->carry = v >> 7;
        return r;
    case 2:
        return v | data;
    case 3:
        return v ^ data;
    case 4:
        return v & data;
    case 5:
        r = v >> 1 | s->carry << 7;
        s->carry = v & 1;
        return r;
    default:
        r = v + data + (op == 7 && s->carry);
        s->carry = r > 0xff;
        return r;
    }
}

/* 5.5: opcode 5: register from SFBR, 6: SFBR from register, 7: register from itself. */
static void read_modify_write(Lsi *s, unsigned opcode)
{
    uint32_t insn = s->dbc;
    uint8_t reg = (insn >> 16 & 0x7f) | (insn & 0x80);
    unsigned op = insn >> 24 & 7;
    uint8_t data = insn & 0x800000 ? s->sfbr : insn >> 8;
    uint8_t v = 0;

    if (opcode == 5) {
        v = s->sfbr;
    } else if (op != 0) {
        v = bank_read(&s->pci.dev, "mmio", reg, 1);
    }
    v = alu(s, op, v, data);
    if (opcode == 6) {
        s->sfbr = v;
    } else {
        bank_write(&s->pci.dev, "mmio", reg, v, 1);
    }
}

static Next input_output(Lsi *s)
{
    unsigned opcode = s->dbc >> 27 & 7;

    if (s->target_mode && opcode < 3) {
        illegal(s);
        return NEXT_RUN;
    }
    switch (opcode) {
    case 0:
        return select_target(s);
    case 1:
        if (scsi_phase_connected(&s->wire)) {
            return NEXT_WAIT;
        }
        s->gone = false;
        return NEXT_RUN;
    case 2:
        return wait_reselect(s);
    case 3:
    case 4:
        flags_write(s, opcode == 3);
        return NEXT_RUN;
    default:
        read_modify_write(s, opcode);
        return NEXT_RUN;
    }
}

/* ---- transfer of control ---- */

static bool condition(const Lsi *s)
{
    uint32_t insn = s->dbc;
    bool sense = insn & 0x80000;

    if (insn & 0x200000) {
        return s->carry == sense;
    }
    if (insn & 0x20000 && (s->wire.phase == (insn >> 24 & 7)) != sense) {
        return false;
    }
    if (insn & 0x40000 && (((s->sfbr ^ insn) & ~(insn >> 8) & 0xff) == 0) != sense) {
        return false;
    }
    return insn & 0x60000 ? true : sense;
}

static Next transfer_control(Lsi *s)
{
    uint32_t insn = s->dbc;
    uint32_t target = insn & 0x800000 ? s->dsp + sext24(s->dsps) : s->dsps;

    if (insn & 0x10000 && insn & 0x20000) {
        release_ack(s);
        if (s->wire.phase >= PHASE_WAIT) {
            return NEXT_WAIT;
        }
    }
    if (!condition(s)) {
        return NEXT_RUN;
    }
    switch (insn >> 27 & 7) {
    case 0:
        s->dsp = target;
        break;
    case 1:
        s->temp = s->dsp;
        s->dsp = target;
        break;
    case 2:
        s->dsp = s->temp;
        break;
    case 3:
        if (insn & 0x100000) {
            s->istat0 |= ISTAT_INTF;
            lsi_update_irq(s);
        } else {
            lsi_dma_interrupt(s, DSTAT_SIR);
        }
        break;
    default:
        illegal(s);
        break;
    }
    return NEXT_RUN;
}

/* ---- memory ---- */

static void memory_move(Lsi *s, unsigned *work)
{
    uint32_t count = s->dbc & 0xffffff, to;
    uint64_t src = (uint64_t)s->selector[SEL_MMRS] << 32 | s->dsps, dst;
    uint8_t buf[CHUNK];

    if (!fetch(s, s->dsp, &to, 1)) {
        return;
    }
    s->dsp += 4;
    s->temp = to;
    dst = (uint64_t)s->selector[SEL_MMWS] << 32 | to;
    *work += count / 1024;
    while (count) {
        uint32_t n = MIN(count, CHUNK);

        if (!mem_read(s, src, buf, n) || !mem_write(s, dst, buf, n)) {
            lsi_dma_interrupt(s, DSTAT_BF);
            return;
        }
        src += n;
        dst += n;
        count -= n;
    }
}

static void load_store(Lsi *s)
{
    uint32_t insn = s->dbc, n = insn & 7;
    uint8_t reg = insn >> 16, buf[4];
    bool load = insn & 0x01000000;
    uint64_t addr = insn & 0x10000000
                        ? table_addr(s, s->dsps)
                        : (uint64_t)s->selector[load ? SEL_MMRS : SEL_MMWS] << 32 | s->dsps;
    bool ok;

    if (n == 0 || n > 4 || reg % 4 + n > 4) {
        illegal(s);
        return;
    }
    if (load) {
        ok = mem_read(s, addr, buf, n);
        for (uint32_t i = 0; ok && i < n; i++) {
            bank_write(&s->pci.dev, "mmio", reg + i, buf[i], 1);
        }
    } else {
        for (uint32_t i = 0; i < n; i++) {
            buf[i] = bank_read(&s->pci.dev, "mmio", reg + i, 1);
        }
        ok = mem_write(s, addr, buf, n);
    }
    if (!ok) {
        lsi_dma_interrupt(s, DSTAT_BF);
    }
}

/* ---- the processor ---- */

static bool needs_target(uint32_t insn)
{
    switch (insn >> 30) {
    case 0:
        return true;
    case 1:
        return (insn >> 27 & 7) < 3;
    case 2:
        return (insn & 0x30000) == 0x30000;
    default:
        return false;
    }
}

static Next step(Lsi *s, unsigned *work)
{
    uint32_t words[2], at = s->dsp;
    Next next = NEXT_RUN;

    if (s->move.active) {
        return move_go_on(s, work);
    }
    if (!fetch(s, at, words, 2)) {
        return NEXT_RUN;
    }
    /* WAIT DISCONNECT says that the target was expected to go. */
    if (s->gone && s->scntl2 & SCNTL2_SDU && words[0] >> 27 != 9) {
        s->gone = false;
        lsi_scsi_interrupt(s, SIST_UDC);
        return NEXT_RUN;
    }
    s->dbc = words[0];
    s->dsps = words[1];
    s->dsp = at + 8;
    /*
     * SCRIPTS go on while the chip selects, up to what needs the target: there the timeout finds
     * them.
     */
    if (s->nobody && needs_target(words[0])) {
        s->nobody = false;
        lsi_scsi_interrupt(s, SIST_STO);
        return NEXT_RUN;
    }
    switch (words[0] >> 30) {
    case 0:
        return block_move(s, work);
    case 1:
        next = input_output(s);
        break;
    case 2:
        next = transfer_control(s);
        break;
    default:
        if (words[0] & 0x20000000) {
            load_store(s);
        } else {
            memory_move(s, work);
        }
        break;
    }
    if (next == NEXT_WAIT) {
        s->dsp = at;
    } else if (s->running && s->dcntl & DCNTL_SSM) {
        lsi_dma_interrupt(s, DSTAT_SSI);
    }
    return next;
}

void lsi_run(Lsi *s)
{
    unsigned work = 0;
    Next next = NEXT_RUN;

    if (s->inside || !s->running || !s->resume) {
        return;
    }
    s->inside = true;
    s->resume = false;
    timer_cancel(&s->slice);
    while (s->running && next == NEXT_RUN && work < SLICE_WORK) {
        work++;
        next = step(s, &work);
        /* Woken from within, by a register or by the bus. */
        next = s->resume ? NEXT_RUN : next;
        s->resume = false;
    }
    s->inside = false;
    if (!s->running || next == NEXT_WAIT) {
        s->slices = 0;
        return;
    }
    timer_set_ns(&s->slice, clock_now_ns(CLOCK_GUEST) + ((int64_t)SLICE_PAUSE_NS << s->slices));
    s->slices = MIN(s->slices + 1, LSI_SLICE_DOUBLES);
}

void lsi_start(Lsi *s)
{
    s->running = s->resume = true;
    s->reselect_wait = s->move.active = false;
    lsi_run(s);
}
