// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TPM interface with a command response buffer (TCG PC Client Platform TPM Profile 1.05, chapter
 * 7), locality 0 only.
 */
#include "exec/bank.h"
#include "hw/tpm/tpm.h"

#define BUFFER_AT 0x80u
#define BUFFER_SIZE (0x1000u - BUFFER_AT)

enum { LOC_ESTABLISHED = 1, LOC_ASSIGNED = 2, LOC_VALID = 0x80 };
enum { LOC_REQUEST = 1, LOC_RELINQUISH = 2, LOC_SEIZE = 4, LOC_RESET_ESTABLISHED = 8 };
enum { LOC_GRANTED = 1, LOC_BEEN_SEIZED = 2 };
enum {
    REQ_READY = 1,
    REQ_IDLE = 2,
    STS_ERROR = 1,
    STS_IDLE = 2,
    START_INVOKE = 1,
    CANCEL_INVOKE = 1
};

typedef struct Crb {
    Device dev;
    char *tpmdev;
    bool ppi;
    TpmFront front;
    uint32_t loc_sts, ctrl_sts, ctrl_start, ctrl_cancel;
    bool assigned;
    uint8_t buffer[BUFFER_SIZE];   /* what the guest sees; the front's is in use while a command runs */
} Crb;

static uint64_t loc_state_read(Device *d, const RegAccess *a)
{
    Crb *s = (Crb *)d;

    return LOC_VALID | (s->assigned ? LOC_ASSIGNED : 0) |
           (tpm_established(&s->front) ? 0 : LOC_ESTABLISHED);
}

static void loc_ctrl_write(Device *d, const RegAccess *a)
{
    Crb *s = (Crb *)d;

    if (a->value & LOC_RESET_ESTABLISHED) {
        tpm_reset_established(&s->front, 0);
    }
    if (a->value & LOC_RELINQUISH) {
        s->assigned = false;
        s->loc_sts &= ~(uint32_t)LOC_GRANTED;
    }
    if (a->value & LOC_REQUEST) {
        s->assigned = true;
        s->loc_sts = (s->loc_sts | LOC_GRANTED) & ~(uint32_t)LOC_BEEN_SEIZED;
    }
}

/* Both requests are granted at once, so that the register always reads as 0. */
static void ctrl_req_write(Device *d, const RegAccess *a)
{
    Crb *s = (Crb *)d;

    if (s->ctrl_start) {
        return;
    }
    if (a->value & REQ_READY) {
        s->ctrl_sts &= ~(uint32_t)STS_IDLE;
    } else if (a->value & REQ_IDLE) {
        s->ctrl_sts |= STS_IDLE;
        memset(s->buffer, 0, sizeof(s->buffer));
    }
}

static void crb_done(Device *d, size_t len)
{
    Crb *s = (Crb *)d;

    if (s->ctrl_start) {
        memcpy(s->buffer, s->front.buffer, MIN(len, sizeof(s->buffer)));
        s->ctrl_start = 0;
    }
}

/* Without being made ready too: SeaBIOS' first command comes so. */
static void ctrl_start_write(Device *d, const RegAccess *a)
{
    Crb *s = (Crb *)d;
    uint32_t size = tpm_size(s->buffer);

    if (!(a->value & START_INVOKE) || !s->assigned || s->ctrl_start) {
        return;
    }
    memcpy(s->front.buffer, s->buffer, sizeof(s->buffer));
    s->ctrl_start = START_INVOKE;
    if (!tpm_execute(&s->front, 0, CLAMP(size, TPM_HEADER, sizeof(s->buffer)))) {
        s->ctrl_start = 0;
        s->ctrl_sts |= STS_ERROR;
    }
}

static void ctrl_cancel_write(Device *d, const RegAccess *a)
{
    Crb *s = (Crb *)d;

    s->ctrl_cancel = a->value;
    if ((a->value & CANCEL_INVOKE) && s->ctrl_start) {
        tpm_cancel(&s->front);
    }
}

/* clang-format off */
static const Reg crb_regs[] = {
    REG_HOOK(0x00, 4, "loc_state", .read = loc_state_read, .help = "locality assigned, valid"),
    REG_HOOK(0x08, 4, "loc_ctrl", .wmask = 0xf, .write = loc_ctrl_write, .help = "request, relinquish"),
    REG(Crb, 0x0c, loc_sts, .help = "bit 0 granted, bit 1 seized"),
    REG_HOOK(0x30, 8, "intf_id", .reset = 0x0000101400025811, .help = "CRB, version 1, vendor"),
    REG_HOOK(0x38, 8, "ctrl_ext"),
    REG_HOOK(0x40, 4, "ctrl_req", .wmask = 3, .write = ctrl_req_write, .help = "ready, idle"),
    REG(Crb, 0x44, ctrl_sts, .reset = STS_IDLE, .help = "bit 0 error, bit 1 idle"),
    REG(Crb, 0x48, ctrl_cancel, .wmask = UINT32_MAX, .write = ctrl_cancel_write, .help = "of the command that runs"),
    REG(Crb, 0x4c, ctrl_start, .write = ctrl_start_write, .help = "runs the command in the buffer"),
    REG_HOOK(0x50, 4, "int_enable"), REG_HOOK(0x54, 4, "int_sts"),
    REG_HOOK(0x58, 4, "ctrl_cmd_size", .reset = BUFFER_SIZE),
    REG_HOOK(0x5c, 4, "ctrl_cmd_laddr", .reset = TPM_BASE + BUFFER_AT), REG_HOOK(0x60, 4, "ctrl_cmd_haddr"),
    REG_HOOK(0x64, 4, "ctrl_rsp_size", .reset = BUFFER_SIZE),
    REG_HOOK(0x68, 8, "ctrl_rsp_addr", .reset = TPM_BASE + BUFFER_AT),
};
/* clang-format on */

/* ---- the buffer ---- */

static uint64_t buffer_read(void *opaque, hwaddr offset, unsigned size)
{
    const Crb *s = opaque;
    uint64_t v = 0;

    if (offset >= BUFFER_AT) {
        memcpy(&v, s->buffer + (offset - BUFFER_AT), size);
    }
    return GUINT64_FROM_LE(v);
}

static void buffer_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Crb *s = opaque;

    if (offset >= BUFFER_AT && s->assigned) {
        value = GUINT64_TO_LE(value);
        memcpy(s->buffer + (offset - BUFFER_AT), &value, size);
    }
}

static const RegionOps crb_ops = {
    .read = buffer_read, .write = buffer_write, .min_size = 1, .max_size = 8};
static const RegBank crb_banks[] = {
    { .name = "mmio", .size = 0x1000, BANK_REGS(crb_regs), .ops = &crb_ops, .help = "registers and buffer" },
    { 0 },
};

static bool crb_realize(Device *d, GError **error)
{
    Crb *s = (Crb *)d;

    s->front.done = crb_done;
    if (!tpm_attach(&s->front, d, TPM_CRB, s->tpmdev, s->ppi, error)) {
        return false;
    }
    device_map(d, "mmio", TPM_BASE);
    return true;
}

static void crb_unrealize(Device *d)
{
    tpm_detach(&((Crb *)d)->front);
}

static void crb_reset(Device *d)
{
    Crb *s = (Crb *)d;
    size_t size = BUFFER_SIZE;

    s->assigned = false;
    memset(s->buffer, 0, sizeof(s->buffer));
    if (!tpm_start(&s->front, &size)) {
        s->ctrl_sts |= STS_ERROR;
    }
}

static const Prop crb_props[] = {
    PROP_BOOL(Crb, ppi, "ppi", true),
    PROP_STRING(Crb, tpmdev, "tpmdev", .help = "ID of a tpm to use as a backend"),
    PROP_END,
};

static const StateField crb_state[] = {
    STATE(Crb, assigned),
    STATE_RAW(Crb, buffer),
    STATE_STRUCT(Crb, front, tpm_front_state),
    STATE_END,
};

static const DeviceType crb_type = {
    .name = "tpm-crb",
    .category = "misc",
    .desc = "TPM with a command response buffer",
    .size = sizeof(Crb),
    .state_version = 1,
    .props = crb_props,
    .banks = crb_banks,
    .state = crb_state,
    .realize = crb_realize,
    .unrealize = crb_unrealize,
    .reset = crb_reset,
};
DEVICE_TYPE(crb_type);
