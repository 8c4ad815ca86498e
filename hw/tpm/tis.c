// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TPM interface with a FIFO (TCG PC Client Platform TPM Profile 1.05, chapter 6, interface version
 * 1.3) for five localities. Left out: the hash sequence of locality 4, which only hardware begins.
 */
#include "hw/isa/isa.h"
#include "hw/tpm/tpm.h"

#define LOCALITIES 5
#define NOBODY 0xff
#define BURST_MAX 2048u

enum {
    TIS_ACCESS = 0x00,
    TIS_INT_ENABLE = 0x08,
    TIS_INT_VECTOR = 0x0c,
    TIS_INT_STATUS = 0x10,
    TIS_CAPABILITY = 0x14,
    TIS_STS = 0x18,
    TIS_FIFO = 0x24,
    TIS_INTERFACE = 0x30,
    TIS_XFIFO = 0x80,
    TIS_XFIFO_END = 0xc0,
    TIS_DID_VID = 0xf00,
    TIS_RID = 0xf04 };
enum {
    ACCESS_VALID = 0x80,
    ACCESS_ACTIVE = 0x20,
    ACCESS_SEIZED = 0x10,
    ACCESS_SEIZE = 0x08,
    ACCESS_PENDING = 0x04,
    ACCESS_REQUEST = 0x02,
    ACCESS_NOT_ESTABLISHED = 0x01 };
enum {
    STS_FAMILY_20 = 1 << 26,
    STS_RESET_ESTABLISHED = 1 << 25,
    STS_CANCEL = 1 << 24,
    STS_VALID = 0x80,
    STS_READY = 0x40,
    STS_GO = 0x20,
    STS_DATA = 0x10,
    STS_EXPECT = 0x08,
    STS_SELF_TEST = 0x04,
    STS_RETRY = 0x02 };
enum {
    INT_DATA = 1,
    INT_STS_VALID = 2,
    INT_LOCALITY = 4,
    INT_READY = 0x80,
    INT_ALL = 0x87,
    INT_TYPE = 0x18
};
#define INT_GLOBAL (1u << 31)
/* version 1.3, transfers of any size, changing burst count, these interrupts */
#define CAPABILITY 0x30000697u
#define INTERFACE_ID 0x2100u
#define DID_VID 0x00011014u

typedef enum TisState {
    TIS_IDLE,
    TIS_READY,
    TIS_RECEPTION,
    TIS_EXECUTION,
    TIS_COMPLETION
} TisState;

typedef struct Tis {
    Device dev;
    char *tpmdev;
    uint32_t irq_line;
    bool ppi;
    TpmFront front;
    uint8_t active;                /* locality, NOBODY: none */
    uint8_t requests, seized;      /* a bit for each locality */
    uint8_t state;                 /* TisState */
    bool aborting;                 /* commandReady came while a command runs */
    uint32_t int_enable[LOCALITIES];
    uint8_t int_vector[LOCALITIES], int_status[LOCALITIES];
    uint32_t offset, length;       /* in the front's buffer: what was read of it, what is there */
    uint64_t limit;                /* bytes that the back end takes */
    Irq irq;
} Tis;

/* ---- interrupts ---- */

static void tis_update_irq(Tis *s)
{
    bool level = false;

    for (unsigned i = 0; i < LOCALITIES; i++) {
        level |= (s->int_enable[i] & INT_GLOBAL) && (s->int_status[i] & s->int_enable[i] & INT_ALL);
    }
    irq_set(&s->irq, level);
}

static void tis_event(Tis *s, unsigned locality, uint8_t bits)
{
    if (locality < LOCALITIES && (s->int_enable[locality] & INT_GLOBAL)) {
        s->int_status[locality] |= bits & s->int_enable[locality];
        tis_update_irq(s);
    }
}

/* ---- localities, 6.2 ---- */

static void tis_become_idle(Tis *s)
{
    if (s->state == TIS_EXECUTION) {
        s->aborting = true;
        tpm_cancel(&s->front);
        return;
    }
    s->state = TIS_IDLE;
    s->offset = s->length = 0;
}

static void tis_activate(Tis *s, uint8_t locality)
{
    bool changed = s->active != NOBODY && s->active != locality;

    s->active = locality;
    if (locality != NOBODY) {
        s->requests &= ~(1u << locality);
        if (changed) {
            tis_event(s, locality, INT_LOCALITY);
        }
    }
    tis_become_idle(s);
}

static void tis_write_access(Tis *s, unsigned locality, uint8_t v)
{
    uint8_t bit = 1u << locality;

    if (v & ACCESS_ACTIVE) {
        s->requests &= ~bit;
        if (s->active == locality) {
            unsigned next = LOCALITIES;

            while (next > 0 && !(s->requests & 1u << (next - 1))) {
                next--;
            }
            tis_activate(s, next ? next - 1 : NOBODY);
        }
    }
    if (v & ACCESS_SEIZED) {
        s->seized &= ~bit;
    }
    if ((v & ACCESS_SEIZE) && (s->active == NOBODY || locality > s->active)) {
        if (s->active != NOBODY) {
            s->seized |= 1u << s->active;
        }
        tis_activate(s, locality);
    }
    if (v & ACCESS_REQUEST) {
        if (s->active == NOBODY) {
            tis_activate(s, locality);
        } else if (s->active != locality) {
            s->requests |= bit;
        }
    }
}

static uint8_t tis_read_access(Tis *s, unsigned locality)
{
    uint8_t bit = 1u << locality;

    return ACCESS_VALID | (s->active == locality ? ACCESS_ACTIVE : 0) |
           (s->seized & bit ? ACCESS_SEIZED : 0) | (s->requests & ~bit ? ACCESS_PENDING : 0) |
           (s->requests & bit ? ACCESS_REQUEST : 0) |
           (tpm_established(&s->front) ? 0 : ACCESS_NOT_ESTABLISHED);
}

/* ---- the state machine, 6.5.2.10 ---- */

static bool tis_expects(const Tis *s)
{
    return s->state == TIS_RECEPTION &&
           (s->length < TPM_HEADER || s->length < MIN(tpm_size(s->front.buffer), s->limit));
}

static void tis_done(Device *d, size_t len)
{
    Tis *s = (Tis *)d;

    if (s->state != TIS_EXECUTION) {
        return;
    }
    s->offset = 0;
    s->length = len;
    s->state = TIS_COMPLETION;
    if (s->aborting || s->active == NOBODY) {
        s->aborting = false;
        s->length = 0;
        s->state = s->active == NOBODY ? TIS_IDLE : TIS_READY;
        tis_event(s, s->active, INT_READY);
    } else {
        tis_event(s, s->active, INT_DATA | INT_STS_VALID);
    }
}

static void tis_command_ready(Tis *s, unsigned locality)
{
    switch (s->state) {
    case TIS_EXECUTION:
        s->aborting = true;
        tpm_cancel(&s->front);
        break;
    case TIS_READY:
        break;
    default:
        s->state = TIS_READY;
        s->offset = s->length = 0;
        tis_event(s, locality, INT_READY);
        break;
    }
}

static void tis_write_sts(Tis *s, unsigned locality, uint32_t v)
{
    if (v & STS_CANCEL) {
        if (s->state == TIS_EXECUTION) {
            tpm_cancel(&s->front);
        }
    } else if (v & STS_RESET_ESTABLISHED) {
        if (locality >= 3) {
            tpm_reset_established(&s->front, locality);
        }
    } else if (v & STS_READY) {
        tis_command_ready(s, locality);
    } else if (v & STS_GO) {
        if (s->state == TIS_RECEPTION && !tis_expects(s)) {
            s->state = TIS_EXECUTION;
            tpm_execute(&s->front, locality, s->length);
        }
    } else if ((v & STS_RETRY) && s->state == TIS_COMPLETION) {
        s->offset = 0;
    }
}

static uint32_t tis_read_sts(Tis *s)
{
    uint32_t v = STS_FAMILY_20 | STS_SELF_TEST, burst = 0;

    switch (s->state) {
    case TIS_READY:
        v |= STS_VALID | STS_READY;
        burst = BURST_MAX;
        break;
    case TIS_RECEPTION:
        v |= STS_VALID | (tis_expects(s) ? STS_EXPECT : 0);
        burst = MIN(BURST_MAX, MAX(s->limit, s->length) - s->length);
        break;
    case TIS_COMPLETION:
        v |= STS_VALID | (s->offset < s->length ? STS_DATA : 0);
        burst = MIN(BURST_MAX, s->length - s->offset);
        break;
    default:
        break;
    }
    return v | burst << 8;
}

static void tis_write_fifo(Tis *s, uint8_t byte)
{
    if (s->state == TIS_READY) {
        s->state = TIS_RECEPTION;
        s->length = 0;
    }
    if (s->state == TIS_RECEPTION && tis_expects(s)) {
        s->front.buffer[s->length++] = byte;
    }
}

static uint8_t tis_read_fifo(Tis *s)
{
    return s->state == TIS_COMPLETION && s->offset < s->length ? s->front.buffer[s->offset++]
                                                               : 0xff;
}

/* ---- accesses ---- */

static bool is_fifo(unsigned reg)
{
    return (reg >= TIS_FIFO && reg < TIS_FIFO + 4) || (reg >= TIS_XFIFO && reg < TIS_XFIFO_END);
}

static uint32_t tis_read_reg(Tis *s, unsigned locality, unsigned reg)
{
    switch (reg) {
    case TIS_ACCESS:
        return tis_read_access(s, locality);
    case TIS_INT_ENABLE:
        return s->int_enable[locality];
    case TIS_INT_VECTOR:
        return s->int_vector[locality];
    case TIS_INT_STATUS:
        return s->int_status[locality];
    case TIS_CAPABILITY:
        return CAPABILITY;
    case TIS_STS:
        return s->active == locality ? tis_read_sts(s) : UINT32_MAX;
    case TIS_INTERFACE:
        return INTERFACE_ID;
    case TIS_DID_VID:
        return DID_VID;
    case TIS_RID:
        return 1;
    default:
        return UINT32_MAX;
    }
}

static uint64_t tis_read(void *opaque, hwaddr offset, unsigned size)
{
    Tis *s = opaque;
    unsigned locality = offset >> 12, reg = offset & 0xfff;
    uint32_t v = 0;

    if (!is_fifo(reg)) {
        return tis_read_reg(s, locality, reg & ~3u) >> (reg & 3) * 8;
    }
    for (unsigned i = 0; i < size; i++) {
        v |= (uint32_t)(s->active == locality ? tis_read_fifo(s) : 0xff) << 8 * i;
    }
    return v;
}

static void tis_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Tis *s = opaque;
    unsigned locality = offset >> 12, reg = offset & 0xfff;

    if (reg == TIS_ACCESS) {
        tis_write_access(s, locality, value);
        return;
    }
    if (s->active != locality) {
        return;
    }
    if (is_fifo(reg)) {
        for (unsigned i = 0; i < size; i++) {
            tis_write_fifo(s, value >> 8 * i);
        }
        return;
    }
    value <<= (reg & 3) * 8;
    switch (reg & ~3u) {
    case TIS_INT_ENABLE:
        s->int_enable[locality] = (value & (INT_GLOBAL | INT_ALL | INT_TYPE)) |
                                  (size < 4 ? s->int_enable[locality] & ~0xffu : 0);
        tis_update_irq(s);
        break;
    case TIS_INT_STATUS:
        s->int_status[locality] &= ~value;
        tis_update_irq(s);
        break;
    case TIS_STS:
        tis_write_sts(s, locality, value);
        break;
    }
}

static const RegionOps tis_ops = {
    .read = tis_read, .write = tis_write, .min_size = 1, .max_size = 4};
static const RegBank tis_banks[] = {
    { .name = "mmio", .size = LOCALITIES * 0x1000, .ops = &tis_ops, .help = "five localities" },
    { 0 },
};

/* ---- the device ---- */

static bool tis_realize(Device *d, GError **error)
{
    Tis *s = (Tis *)d;

    if (s->irq_line > 15) {
        return fail(error, "IRQ %u is outside valid range of 0 to 15", s->irq_line);
    }
    s->front.done = tis_done;
    if (!tpm_attach(&s->front, d, TPM_TIS, s->tpmdev, s->ppi, error)) {
        return false;
    }
    device_map(d, "mmio", TPM_BASE);
    return true;
}

static void tis_unrealize(Device *d)
{
    tpm_detach(&((Tis *)d)->front);
}

static void tis_reset(Device *d)
{
    Tis *s = (Tis *)d;
    size_t size = TPM_BUFFER;

    s->active = NOBODY;
    s->requests = s->seized = 0;
    s->state = TIS_IDLE;
    s->aborting = false;
    s->offset = s->length = 0;
    for (unsigned i = 0; i < LOCALITIES; i++) {
        s->int_enable[i] = 1u << 3;          /* low level */
        s->int_vector[i] = s->irq_line;
        s->int_status[i] = 0;
    }
    if (!tpm_start(&s->front, &size)) {
        size = TPM_BUFFER;
    }
    s->limit = MAX(size, TPM_HEADER);
}

static const Prop tis_props[] = {
    PROP_U32(Tis, irq_line, "irq", 5),
    PROP_BOOL(Tis, ppi, "ppi", true),
    PROP_STRING(Tis, tpmdev, "tpmdev", .help = "ID of a tpm to use as a backend"),
    PROP_END,
};

static bool tis_check_load(Device *d, GError **error)
{
    const Tis *s = (Tis *)d;

    return s->active == NOBODY || s->active < LOCALITIES ||
           fail(error, "no locality %u", s->active);
}

static const StateField tis_state[] = {
    STATE(Tis, active), STATE(Tis, requests), STATE(Tis, seized), STATE(Tis, state), STATE(Tis, aborting),
    STATE_ARRAY(Tis, int_enable), STATE_RAW(Tis, int_vector), STATE_RAW(Tis, int_status),
    STATE_TO(Tis, offset, length, UINT32_MAX), STATE_COUNT(Tis, length, front.buffer), STATE_COUNT(Tis, limit, front.buffer),
    STATE_STRUCT(Tis, front, tpm_front_state),
    STATE_END,
};

static const PinRow tis_pins[] = { PIN_OUT(Tis, irq, "irq"), PIN_END };
static const IsaInfo tis_isa = { .irq_pin = "irq", .irq = 5, .irq_prop = "irq" };

static const DeviceType tis_type = {
    .name = "tpm-tis",
    .bus = "ISA",
    .category = "misc",
    .desc = "ISA TPM TIS",
    .size = sizeof(Tis),
    .state_version = 1,
    .bus_info = &tis_isa,
    .props = tis_props,
    .banks = tis_banks,
    .pins = tis_pins,
    .state = tis_state,
    .realize = tis_realize,
    .unrealize = tis_unrealize,
    .reset = tis_reset,
    .check_load = tis_check_load,
};
DEVICE_TYPE(tis_type);
